import type { Config } from '../config/config.ts';
import { ID_PATTERN } from '../config/parsers.ts';
import { IDEMPOTENCY_HEADER, KEY_PATTERN } from '../idempotency/idempotency.ts';
import { FILE_FIELD } from '../uploads/fields.ts';
import { MODES } from '../uploads/mode.ts';
import { type PathItem, ref } from './document.ts';
import { errorResponses } from './error-responses.ts';
import { acceptedMimeTypes, initiateBody, uploadForm } from './field-schemas.ts';
import { CODES_OF } from './operation-errors.ts';
import { jsonResponse } from './response-schemas.ts';

const TAGS = ['uploads'] as const;

const IDEMPOTENCY_KEY = {
  name: IDEMPOTENCY_HEADER,
  in: 'header',
  schema: { type: 'string', pattern: KEY_PATTERN.source },
  description:
    'Makes the request happen at most once: for ten minutes, a repeat with the same key gets the first outcome.',
  example: '0f8e2f9a-6a4e-4d0c-9c1e-7b1f3a2d5c10',
} as const;

/** The paths of uploads, relative to the base path. */
export function uploadPaths(config: Config): Readonly<Record<string, PathItem>> {
  const mimeTypes = acceptedMimeTypes(config.uploads.allowedExtensions);
  return {
    '/messages/upload': {
      post: {
        operationId: 'upload',
        tags: TAGS,
        summary: 'Upload files',
        description: [
          `\`auto\` forwards a file of up to ${config.forward.maxBytes} bytes to Leadway while it arrives, and responds 202 with a signed URL for a larger one; where Leadway offers no signed URLs it forwards up to ${config.forward.fallbackMaxBytes} bytes.`,
          'An error is sent as soon as it is known, while the rest of the body is still arriving.',
        ].join('\n\n'),
        parameters: [
          {
            name: 'mode',
            in: 'query',
            schema: { type: 'string', enum: MODES, default: 'auto' },
            description: 'How the file reaches Leadway.',
          },
          {
            name: 'locationId',
            in: 'query',
            schema: { type: 'string', pattern: ID_PATTERN.source },
            description: 'Instead of the field of the same name.',
            example: 'exampleLocation00001',
          },
          IDEMPOTENCY_KEY,
        ],
        requestBody: {
          required: true,
          content: {
            'multipart/form-data': {
              schema: uploadForm(config),
              encoding: {
                [FILE_FIELD]: { contentType: mimeTypes.join(', ') },
                attachmentUrls: { style: 'form', explode: true },
              },
            },
          },
        },
        responses: {
          200: jsonResponse('Uploaded: forwarded or relayed.', 'Uploaded'),
          202: jsonResponse(
            'Nothing is uploaded yet: PUT the file to `uploadUrl`, then POST the ticket to `completeUrl`.',
            'Direct',
          ),
          ...errorResponses(CODES_OF.upload),
        },
      },
    },
    '/messages/upload/initiate': {
      post: {
        operationId: 'initiate',
        tags: TAGS,
        summary: 'Ask for a signed URL',
        description:
          'With the leading bytes of the file in a form, its content is checked before a URL is given out; by JSON, only name and declared type are.',
        parameters: [IDEMPOTENCY_KEY],
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: initiateBody(config, 'without head') },
            'multipart/form-data': { schema: initiateBody(config, 'with head') },
          },
        },
        responses: {
          200: jsonResponse(
            'PUT the file to `uploadUrl`, then POST the ticket to `completeUrl`.',
            'Initiated',
          ),
          ...errorResponses(CODES_OF.initiate),
        },
      },
    },
    '/messages/upload/content': {
      put: {
        operationId: 'relayContent',
        tags: TAGS,
        summary: 'Relay a file to its signed URL',
        description:
          'For networks where the browser can’t reach storage. The target is what the ticket seals.',
        parameters: [
          {
            name: 'Upload-Ticket',
            in: 'header',
            required: true,
            schema: { type: 'string' },
            description: 'The ticket of the direct upload.',
            example: 'eyJhbGciOiJkaXIi…',
          },
        ],
        requestBody: {
          required: true,
          description: 'The file, with the type that the ticket was issued for.',
          content: { '*/*': {} },
        },
        responses: {
          204: {
            description: 'Stored. Now POST the ticket to complete.',
            headers: { 'X-Request-Id': ref('headers', 'RequestId') },
          },
          ...errorResponses(CODES_OF.content),
        },
      },
    },
    '/messages/upload/complete': {
      post: {
        operationId: 'complete',
        tags: TAGS,
        summary: 'Finish a direct upload',
        description: 'Makes the file in storage an attachment with a public URL.',
        parameters: [IDEMPOTENCY_KEY],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: completeBody() } },
        },
        responses: {
          200: jsonResponse('Uploaded.', 'Completed'),
          ...errorResponses(CODES_OF.complete),
        },
      },
    },
  };
}

/** Leadway's five fields may be sent too. The ticket contains them all. */
function completeBody(): Readonly<Record<string, unknown>> {
  const repeated = { type: 'string', description: 'Where given, it must be what the ticket was issued for.' };
  return {
    type: 'object',
    required: ['ticket'],
    properties: {
      ticket: {
        type: 'string',
        description: 'The ticket of the direct upload.',
        examples: ['eyJhbGciOiJkaXIi…'],
      },
      uploadId: repeated,
      filePath: repeated,
      locationId: repeated,
      conversationId: repeated,
      filename: repeated,
    },
  };
}

import { REASONS } from '../delivery/reasons.ts';
import { ERROR_CODES } from '../errors/codes.ts';
import { MODES } from '../uploads/mode.ts';
import { ref, type Schema } from './document.ts';

const uploadedFiles: Schema = {
  type: 'object',
  additionalProperties: { type: 'string', format: 'uri' },
  description:
    'The public URL of each file by its name. Names that came twice are made distinct: `a (2).png`.',
  examples: [{ 'photo.png': 'https://storage.googleapis.com/example/photo.png' }],
};

const text = (description: string, example: string): Schema => ({
  type: 'string',
  description,
  examples: [example],
});
const count = (description: string, example: number): Schema => ({
  type: 'integer',
  minimum: 0,
  description,
  examples: [example],
});

/** An object with these properties, all required except `optional`. */
function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', required, properties, additionalProperties: false };
}

const VERDICTS = ['ok', 'warning', 'unlikely', 'unknown'];
const delivery: Schema = {
  ...object({
    verdict: {
      type: 'string',
      enum: VERDICTS,
      description: 'Of the worst file. `unknown` where the bytes seen here do not say.',
    },
    reasons: {
      type: 'array',
      items: object({
        code: { type: 'string', enum: Object.keys(REASONS), description: 'For programs.' },
        message: text(
          'For people; English, or Spanish by `Accept-Language`.',
          'The file is 60 MB. This channel delivers such files up to 16 MB.',
        ),
        file: text('The name of the file.', 'holiday.mp4'),
      }),
    },
  }),
  description: 'What to expect of the delivery on the channel.',
};

const initiated = {
  uploadUrl: {
    type: 'string',
    format: 'uri',
    description: 'Signed URL to PUT the file to. Keep it secret.',
  },
  method: { const: 'PUT' },
  headers: {
    ...object({ 'Content-Type': text('The type that the URL is bound to.', 'image/png') }),
    description: 'Headers that the PUT must carry.',
  },
  uploadId: text('Leadway’s id of the upload.', 'upl_5f0c'),
  filePath: text('Where storage keeps the file.', 'conversations/4c8nTqFzPq0aVY2hXk1L/photo.png'),
  expiresAt: count('When the URL expires, in Unix milliseconds.', 1_767_225_600_000),
  maxFileSize: count('The most bytes that the URL accepts.', 5_242_880),
  filename: text('The name as cleaned.', 'photo.png'),
  contentType: text('The canonical type of the file.', 'image/png'),
  ticket: text('Opaque; content and complete require it.', 'eyJhbGciOiJkaXIi…'),
  contentUrl: text(
    'The relay: PUT the file here where storage is out of reach.',
    '/api/messages/upload/content',
  ),
  completeUrl: text('POST the ticket here once the file is in storage.', '/api/messages/upload/complete'),
  delivery,
} as const satisfies Readonly<Record<string, Schema>>;

/** The schemas of all responses, by name. */
export const RESPONSE_SCHEMAS: Readonly<Record<string, Schema>> = {
  Error: {
    ...object(
      {
        status: { type: 'integer', minimum: 400, maximum: 599, description: 'The HTTP status.' },
        message: { type: 'string', description: 'For people; English, or Spanish by `Accept-Language`.' },
        code: { type: 'string', enum: Object.keys(ERROR_CODES), description: 'For programs.' },
        requestId: {
          type: 'string',
          description: 'The same as `X-Request-Id`; give it to the operator of the server.',
        },
        retryable: { type: 'boolean', description: 'Whether the very same request may succeed later.' },
        retryAfterMs: { type: 'integer', minimum: 0, description: 'How long to wait before a retry.' },
        upstreamTraceId: {
          type: 'string',
          description: 'Leadway’s own id of the call, for its support.',
        },
        details: { type: 'object', description: 'Facts for programs, depending on the code.' },
      },
      ['retryAfterMs', 'upstreamTraceId', 'details'],
    ),
    description: 'The one shape of all errors; a superset of Leadway’s own.',
  },
  Uploaded: object(
    {
      mode: { type: 'string', enum: ['forward', 'relay'] },
      uploadedFiles,
      delivery,
      twilioMediaSids: {
        type: 'array',
        items: { type: 'string' },
        description: 'Only for a group SMS.',
        examples: [['ME0123456789abcdef0123456789abcdef']],
      },
      expiresAt: count(
        'Only with `isSecureAttachment=true`: when the URLs stop being public, in Unix milliseconds.',
        1_767_225_600_000,
      ),
    },
    ['twilioMediaSids', 'expiresAt'],
  ),
  Initiated: object(initiated),
  Direct: object({ mode: { const: 'direct' }, ...initiated }),
  Completed: object({
    uploadedFiles,
    delivery,
    metadata: object(
      {
        size: count('Bytes in storage; missing if Leadway does not say.', 73_728),
        contentType: text('As storage has it.', 'image/png'),
      },
      ['size', 'contentType'],
    ),
  }),
  ClientConfig: object({
    fileField: text('The form field of files.', 'fileAttachment'),
    maxFiles: count('The most files in one request.', 5),
    types: {
      type: 'array',
      items: object({
        extensions: { type: 'array', items: { type: 'string' }, examples: [['jpg', 'jpeg']] },
        mimeTypes: {
          type: 'array',
          items: { type: 'string' },
          description: 'The first is the canonical one.',
          examples: [['image/jpeg', 'image/jpg', 'image/pjpeg']],
        },
      }),
    },
    channels: object({ default: text('The channel of a call that names none.', 'SMS') }),
    limits: object({
      forwardMaxBytes: count(
        'Largest file that is forwarded; less while Leadway is known to reject files of that size.',
        5_242_880,
      ),
      directMaxBytes: {
        type: 'object',
        required: ['default'],
        additionalProperties: { type: 'integer', minimum: 0 },
        description: 'Largest direct or relayed file by channel; `default` is for those not named.',
        examples: [{ default: 5_242_880, WHATSAPP: 104_857_600 }],
      },
    }),
    delivery: object({
      strict: {
        type: 'boolean',
        description: 'Whether an upload that is unlikely to be delivered is rejected.',
      },
      warnings: {
        type: 'object',
        description: 'By channel: what speaks against the delivery of files by their name and size.',
        additionalProperties: {
          type: 'array',
          items: object(
            {
              code: text('As in `delivery.reasons` of a response.', 'FILE_TOO_LARGE_FOR_CHANNEL'),
              verdict: { type: 'string', enum: ['warning', 'unlikely'] },
              extensions: {
                type: 'array',
                items: { type: 'string' },
                description: 'Of the files that it concerns; all files where it is missing.',
                examples: [['mp4']],
              },
              aboveBytes: count('It concerns larger files only.', 16_777_216),
              message: text(
                'In the language of `Accept-Language`; `{size}` and `{filename}` are for the client to fill.',
                'The file is {size}. This channel delivers such files up to 16 MB.',
              ),
            },
            ['extensions'],
          ),
        },
      },
      channels: {
        type: 'object',
        description: 'What is known of each channel; of one that is not named, nothing is.',
        additionalProperties: object(
          {
            maxBytesInAll: count('Most bytes of all files of a message.', 5_242_880),
            tollFreeMaxBytes: count('Above this, toll-free numbers may not send the message.', 614_400),
            kinds: {
              type: 'object',
              description:
                'By kind of file: image, video, audio, document. Without it, the channel takes any file.',
              additionalProperties: object(
                {
                  formats: { type: 'array', items: { type: 'string' }, examples: [['jpg', 'png']] },
                  maxBytes: count('Largest file of that kind.', 5_242_880),
                  videoCodecs: { type: 'array', items: { type: 'string' }, examples: [['h264']] },
                  audioCodecs: { type: 'array', items: { type: 'string' }, examples: [['aac']] },
                  usualColours: {
                    type: 'boolean',
                    description: 'Whether pictures must have 8 bits per colour in RGB or grey.',
                  },
                },
                ['maxBytes', 'videoCodecs', 'audioCodecs', 'usualColours'],
              ),
            },
            uncertainKinds: {
              type: 'array',
              items: { type: 'string' },
              description: 'Kinds whose other formats may arrive nevertheless, as a link for instance.',
              examples: [['document']],
            },
          },
          ['maxBytesInAll', 'tollFreeMaxBytes', 'kinds', 'uncertainKinds'],
        ),
      },
    }),
    modes: {
      type: 'array',
      items: { type: 'string', enum: MODES },
      description: 'Modes on offer at the moment.',
    },
    rejections: object({
      noExtension: text(
        'For a name without extension.',
        'The file name has no extension such as .jpg: rename the file. Accepted: {allowed}.',
      ),
      other: text(
        'For any extension without its own message.',
        '{extension} files are not accepted. Accepted: {allowed}.',
      ),
      byExtension: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description:
          'Messages for extensions that are not accepted, in the language of `Accept-Language`. `{filename}`, `{extension}` and `{allowed}` are for the client to fill.',
        examples: [{ heic: '{filename} looks like an iPhone photo (HEIC), which is not accepted. …' }],
      },
    }),
  }),
  Session: object({
    token: text('For `Authorization: Bearer`, where the cookie is blocked.', 'eyJhbGciOiJkaXIi…'),
    tokenType: { const: 'Bearer' },
    expiresAt: count('When it expires, in Unix milliseconds.', 1_795_315_856_000),
    locationId: text('The location that it is valid for.', 'exampleLocation00001'),
  }),
  Health: object({ status: { const: 'ok' } }),
  Readiness: object({
    status: { type: 'string', enum: ['ready', 'not ready'] },
    reasons: { type: 'array', items: { type: 'string' }, examples: [[]] },
    notices: {
      type: 'array',
      items: { type: 'string' },
      description: 'Warnings for the operator. Requests are served anyway.',
      examples: [[]],
    },
  }),
};

/** A JSON response of the schema `name`. */
export function jsonResponse(description: string, name: keyof typeof RESPONSE_SCHEMAS & string): unknown {
  return {
    description,
    headers: { 'X-Request-Id': ref('headers', 'RequestId') },
    content: { 'application/json': { schema: ref('schemas', name) } },
  };
}

import type { PathItem } from './document.ts';
import { errorResponses } from './error-responses.ts';
import { CODES_OF } from './operation-errors.ts';
import { jsonResponse } from './response-schemas.ts';

const TAGS = ['service'] as const;
/** Needs no authentication. */
const OPEN = [] as const;

/**
 * The paths beside uploads.
 *
 * @param root The address of the probes, which are not under the base path; relative to the document.
 */
export const servicePaths = (root: string): Readonly<Record<string, PathItem>> => ({
  '/config': {
    get: {
      operationId: 'clientConfig',
      tags: TAGS,
      summary: 'What a browser client needs to know',
      security: OPEN,
      responses: {
        200: jsonResponse('Types, limits and modes; no secrets.', 'ClientConfig'),
        ...errorResponses(CODES_OF.api),
      },
    },
  },
  '/client.js': {
    get: {
      operationId: 'clientModule',
      tags: TAGS,
      summary: 'The browser client',
      description:
        'One minified module to import, with the store for lists of uploads: `import { createUploader, createUploadStore } from "/api/client.js"`.',
      security: OPEN,
      responses: {
        200: { description: 'JavaScript.', content: { 'text/javascript': { schema: { type: 'string' } } } },
        ...errorResponses(CODES_OF.api),
      },
    },
  },
  '/element.js': {
    get: {
      operationId: 'elementModule',
      tags: TAGS,
      summary: 'The upload element',
      description:
        'A module that defines `<leadway-upload>`: `<script type="module" src="/api/element.js"></script>`.',
      security: OPEN,
      responses: {
        200: { description: 'JavaScript.', content: { 'text/javascript': { schema: { type: 'string' } } } },
        ...errorResponses(CODES_OF.api),
      },
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'openapi',
      tags: TAGS,
      summary: 'This description',
      security: OPEN,
      responses: {
        200: {
          description: 'An OpenAPI 3.1 document.',
          content: { 'application/json': { schema: { type: 'object' } } },
        },
        ...errorResponses(CODES_OF.docs),
      },
    },
  },
  '/docs': {
    get: {
      operationId: 'docs',
      tags: TAGS,
      summary: 'A page over this description',
      security: OPEN,
      responses: {
        200: { description: 'The page.', content: { 'text/html': { schema: { type: 'string' } } } },
        ...errorResponses(CODES_OF.docs),
      },
    },
  },
  '/healthz': {
    servers: [{ url: root }],
    get: {
      operationId: 'health',
      tags: TAGS,
      summary: 'Whether the process is up',
      security: OPEN,
      responses: { 200: jsonResponse('It is.', 'Health'), ...errorResponses(CODES_OF.probe) },
    },
  },
  '/readyz': {
    servers: [{ url: root }],
    get: {
      operationId: 'readiness',
      tags: TAGS,
      summary: 'Whether the process wants requests',
      security: OPEN,
      responses: {
        200: jsonResponse('It does.', 'Readiness'),
        503: jsonResponse('It is starting, draining or lacks something; the reasons say which.', 'Readiness'),
        ...errorResponses(CODES_OF.probe),
      },
    },
  },
});

/** The paths for `AUTH=sso`. */
export const SESSION_PATHS: Readonly<Record<string, PathItem>> = {
  '/session': {
    post: {
      operationId: 'beginSession',
      tags: TAGS,
      summary: 'Exchange the user context of a custom page for a session',
      description:
        'The response also sets the cookie `__Host-leadway-session`; where browsers block it, send the token.',
      security: OPEN,
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['payload'],
              properties: {
                payload: {
                  type: 'string',
                  description: 'The parent window’s response to `REQUEST_USER_DATA`.',
                  examples: ['U2FsdGVkX18…'],
                },
              },
            },
          },
        },
      },
      responses: {
        200: jsonResponse('The session has begun.', 'Session'),
        ...errorResponses(CODES_OF.signIn),
      },
    },
    delete: {
      operationId: 'endSession',
      tags: TAGS,
      summary: 'End the session',
      security: OPEN,
      responses: { 204: { description: 'It has ended.' }, ...errorResponses(CODES_OF.signOut) },
    },
  },
};

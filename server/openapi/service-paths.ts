import { CODES_OF } from './error-codes-of.ts';
import { errorResponses } from './error-responses.ts';
import type { PathItem } from './openapi-types.ts';
import { jsonResponse } from './response-schemas.ts';

const TAGS = ['service'] as const;
/** Whoever probes or wants to learn about the API has not signed in yet. */
const OPEN = [] as const;
/**
 * The paths beside uploads.
 *
 * @param root Where probes are, which are not under the base path; relative to the document.
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

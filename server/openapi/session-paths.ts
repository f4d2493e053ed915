import { CODES_OF } from './error-codes-of.ts';
import { errorResponses } from './error-responses.ts';
import type { PathItem } from './openapi-types.ts';
import { jsonResponse } from './response-schemas.ts';

const TAGS = ['service'] as const;
/** A session is how a client signs in, and ending one that is over already does no harm. */
const OPEN = [] as const;

/** The paths that are there when pages of the CRM sign their users in (`AUTH=sso`). */
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
                  description: 'What the parent window responses to `REQUEST_USER_DATA`.',
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

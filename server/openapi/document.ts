import { packageVersion } from '../assets.ts';
import type { Config } from '../config/config.ts';
import { LANGUAGES } from '../errors/messages.ts';
import { errorResponse } from './error-responses.ts';
import { RESPONSE_SCHEMAS } from './response-schemas.ts';
import { SESSION_PATHS, servicePaths } from './service-paths.ts';
import { uploadPaths } from './upload-paths.ts';

const DESCRIPTION = `Uploads attachments of Leadway conversations without giving the browser the token.

Every response carries \`X-Request-Id\`. Every error has the shape of the schema \`Error\`. What is not described
here is 404 \`NOT_FOUND\`; another method at an address that is, 405 \`METHOD_NOT_ALLOWED\`. Requests of browsers
must come from the server's own origin or a listed one, else 403 \`ORIGIN_NOT_ALLOWED\`.`;

/** The OpenAPI 3.1 description of the API as `config` makes it; codes, limits and types come from the program's own tables. */
export function createOpenApiDocument(config: Config): OpenApiDocument {
  const securitySchemes = securitySchemesOf(config.auth);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Leadway upload BFF',
      version: packageVersion(),
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Relative to the address of the document, so it is right behind a proxy that strips or rewrites a prefix.
    servers: [{ url: '.' }],
    tags: [
      { name: 'uploads', description: 'Files on their way to Leadway.' },
      { name: 'service', description: 'About the server itself.' },
    ],
    security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
    paths: {
      ...uploadPaths(config),
      ...(config.auth.kind === 'sso' && SESSION_PATHS),
      ...servicePaths(toRoot(config.basePath)),
    },
    components: {
      schemas: RESPONSE_SCHEMAS,
      headers: HEADERS,
      responses: {
        NotFound: errorResponse(404, ['NOT_FOUND']),
        MethodNotAllowed: errorResponse(405, ['METHOD_NOT_ALLOWED']),
      },
      securitySchemes,
    },
  };
}

const HEADERS = {
  RequestId: {
    description: 'The id of the request, from the proxy in front or made here.',
    schema: { type: 'string', maxLength: 128 },
    example: '6f1c2a34-9d0e-4b57-8a1f-0c3d5e7f9a2b',
  },
  RetryAfter: {
    description: 'Seconds to wait.',
    schema: { type: 'integer', minimum: 1 },
    example: 12,
  },
  ContentLanguage: {
    description: 'The language of `message`.',
    schema: { type: 'string', enum: LANGUAGES },
    example: 'en',
  },
  Allow: {
    description: 'The methods that the address has.',
    schema: { type: 'string' },
    example: 'POST',
  },
} as const;

/** How clients authenticate; empty for `AUTH=none`. */
function securitySchemesOf(auth: Config['auth']): Readonly<Record<string, unknown>> {
  switch (auth.kind) {
    case 'none':
      return {};
    case 'header':
      return {
        proxy: {
          type: 'apiKey',
          in: 'header',
          name: auth.userHeader,
          description: 'Set by the authenticating proxy in front; from any other peer it is ignored.',
        },
      };
    case 'jwt':
      return {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        ...(auth.cookie !== null && { cookie: { type: 'apiKey', in: 'cookie', name: auth.cookie } }),
      };
    case 'sso':
      return { bearer: { type: 'http', scheme: 'bearer', description: 'The token of a session.' } };
  }
}

/** The relative path from the base path, the folder of the document, to the root. */
function toRoot(basePath: string): string {
  const depth = basePath.split('/').length - 1;
  return depth === 0 ? '.' : Array(depth).fill('..').join('/');
}

/** A JSON Schema (2020-12), as OpenAPI 3.1 uses it. */
export interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

/** One operation of the description, by its parts that are written by hand. */
export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly unknown[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, unknown>>;
  readonly security?: readonly unknown[];
}

/** Operations by method, for one path. */
export interface PathItem {
  readonly servers?: readonly unknown[];
  readonly get?: Operation;
  readonly post?: Operation;
  readonly put?: Operation;
  readonly delete?: Operation;
}

/** The description of the API. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly unknown[];
  readonly security: readonly unknown[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly responses: Readonly<Record<string, unknown>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

/** Refers to a component. */
export function ref(kind: keyof OpenApiDocument['components'], name: string): { readonly $ref: string } {
  return { $ref: `#/components/${kind}/${name}` };
}

import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { createApp } from '../../server/app.ts';
import { type Config, loadConfig } from '../../server/config/config.ts';
import type { AppContext } from '../../server/context.ts';
import { ERROR_CODES, type ErrorCode } from '../../server/errors/codes.ts';
import { toClientError } from '../../server/leadway/errors.ts';
import { createOpenApiDocument, type OpenApiDocument, type Schema } from '../../server/openapi/document.ts';
import { PASSED_ON_STATUSES } from '../../server/openapi/operation-errors.ts';
import { INITIATE_FIELD_NAMES, UPLOAD_FIELD_NAMES } from '../../server/uploads/fields.ts';
import { createDescriber, operationsIn } from '../helpers/described.ts';
import { createTestServer } from '../helpers/test-server.ts';

describe('GET /openapi.json', () => {
  it('is a valid OpenAPI 3.1 document under whichever settings', async () => {
    for (const env of [{}, { BASE_PATH: '/' }, { ALLOWED_TYPES: 'vcf', MAX_FILES: '1' }]) {
      const document = await describe31(env);
      const validator = new Validator();
      const { valid, errors } = await validator.validate({ ...document });
      assert(valid, JSON.stringify(errors));
      assert.equal(validator.version, '3.1');
    }
  });

  it('describes every route of the program and no other', async () => {
    for (const basePath of ['/api', '/up/v1', '/']) {
      await using testServer = await createTestServer({ env: { BASE_PATH: basePath } });
      const document = await fetchDocument(testServer.api);
      const base = basePath === '/' ? '' : basePath;
      const described = operationsIn(document).map(({ method, path }) => {
        const isAtRoot = document.paths[path]?.servers !== undefined;
        return `${method} ${isAtRoot ? '' : base}${path}`;
      });
      const routes = routesOf(testServer.server.context, base).filter(
        (route) => !route.startsWith(`get ${base}/docs/`), // the files that the page loads
      );
      assert.deepEqual(described.toSorted(), routes.toSorted());
      for (const prefix of ['', '/behind/a/proxy']) {
        const at = `https://bff.example${prefix}${base}/openapi.json`;
        assert.equal(new URL(document.servers[0]?.url ?? '', at).pathname, `${prefix}${base}/`);
        const [health] = document.paths['/healthz']?.servers ?? [];
        assert.equal(new URL((health as { url: string }).url, at).pathname, `${prefix}/`);
      }
    }
  });

  it('describes the sessions of AUTH=sso where there are any', async () => {
    const env = {
      AUTH: 'sso',
      SSO_SHARED_SECRET: 'shared',
      SESSION_SECRETS: 'a-session-secret-of-at-least-32-characters',
    };
    await using testServer = await createTestServer({ env });
    const document = await fetchDocument(testServer.api);
    const described = operationsIn(document).filter(({ path }) => path === '/session');
    assert.deepEqual(
      described.map(({ method }) => method),
      ['post', 'delete'],
    );
    const routes = routesOf(testServer.server.context, '/api');
    assert.deepEqual(
      routes.filter((route) => route.endsWith('/session')),
      ['post /api/session', 'delete /api/session'],
    );
  });

  it('has every error code, each with its own status, and no other', async () => {
    const document = await describe31();
    const listed = document.components.schemas['Error']?.properties?.['code']?.['enum'];
    assert.deepEqual(listed, Object.keys(ERROR_CODES));
    const seen = new Set<string>();
    for (const [status, code] of codesIn(document)) {
      seen.add(code);
      assert(Object.hasOwn(ERROR_CODES, code), code);
      if (code !== 'UPSTREAM_REJECTED') assert.equal(status, ERROR_CODES[code as ErrorCode].status, code);
    }
    assert.deepEqual([...seen].toSorted(), Object.keys(ERROR_CODES).toSorted());
  });

  it('knows which statuses of Leadway come through', () => {
    const rejection = { message: 'no', traceId: null, retryAfterMs: null, isWebPage: false };
    const passed = Array.from({ length: 200 }, (_, index) => 400 + index).filter(
      (status) => toClientError({ ...rejection, status }, []).code === 'UPSTREAM_REJECTED',
    );
    assert.deepEqual(passed, [...PASSED_ON_STATUSES]);
  });

  it('names the fields that are read', async () => {
    const document = await describe31();
    const upload = formOf(document, '/messages/upload', 'multipart/form-data');
    const read = [...UPLOAD_FIELD_NAMES].filter((name) => !name.endsWith('[]'));
    assert.deepEqual(Object.keys(upload.properties).toSorted(), [...read, 'fileAttachment'].toSorted());
    for (const type of ['application/json', 'multipart/form-data']) {
      for (const name of Object.keys(formOf(document, '/messages/upload/initiate', type).properties)) {
        assert(INITIATE_FIELD_NAMES.has(name) || name === 'fileAttachment', name);
      }
    }
  });

  it('follows the settings', async () => {
    const document = await describe31({
      MAX_FILES: '3',
      ALLOWED_TYPES: 'pdf,vcf',
      DEFAULT_CHANNEL: 'EMAIL',
      FORWARD_MAX_BYTES: '1234567',
      ATTACHMENT_URL_ORIGINS: 'https://files.example.com',
    });
    const { properties, required } = formOf(document, '/messages/upload', 'multipart/form-data');
    assert.equal(properties['fileAttachment']?.['maxItems'], 3);
    assert.equal(properties['channel']?.['default'], 'EMAIL');
    assert.match(String(properties['attachmentUrls']?.['description']), /https:\/\/files\.example\.com/);
    assert.deepEqual(required, ['fileAttachment']);
    const declared = JSON.stringify(document.paths['/messages/upload']?.post?.requestBody);
    assert(declared.includes('application/pdf') && declared.includes('text/x-vcard'));
    assert(!declared.includes('image/jpeg'));
    const initiate = formOf(document, '/messages/upload/initiate', 'application/json');
    assert.deepEqual(initiate.required, ['conversationId', 'filename']);
    assert.match(document.paths['/messages/upload']?.post?.description ?? '', /1234567/);
  });

  it('tells how clients prove who they are', async () => {
    const loaded = loadConfig({});
    assert(loaded.ok);
    const jwt = { issuer: 'i', audience: 'a', jwksUrl: null, locationsClaim: 'locations' };
    const kinds: [auth: Config['auth'], schemes: string[]][] = [
      [{ kind: 'none' }, []],
      [{ kind: 'header', userHeader: 'X-User', locationsHeader: null }, ['proxy']],
      [{ kind: 'jwt', cookie: null, ...jwt }, ['bearer']],
      [{ kind: 'jwt', cookie: 'session', ...jwt }, ['bearer', 'cookie']],
      [{ kind: 'sso', sessionTtlMs: 1 }, ['bearer']],
    ];
    for (const [auth, schemes] of kinds) {
      const document = createOpenApiDocument({ ...loaded.config, auth });
      assert.deepEqual(Object.keys(document.components.securitySchemes), schemes);
      assert.deepEqual(
        document.security,
        schemes.map((name) => ({ [name]: [] })),
      );
      assert((await new Validator().validate({ ...document })).valid);
    }
  });

  it('gives examples that fit their schemas', async () => {
    const count = createDescriber(await describe31()).assertExamples();
    assert(count > 100, `${count} examples`);
  });
});

async function describe31(env: Readonly<Record<string, string>> = {}): Promise<OpenApiDocument> {
  await using testServer = await createTestServer({ env });
  return await fetchDocument(testServer.api);
}

async function fetchDocument(api: string): Promise<OpenApiDocument> {
  const response = await fetch(`${api}/openapi.json`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  return (await response.json()) as OpenApiDocument;
}

function formOf(
  document: OpenApiDocument,
  path: string,
  type: string,
): Required<Pick<Schema, 'properties' | 'required'>> {
  const body = document.paths[path]?.post?.requestBody as {
    content: Record<string, { schema: Schema }>;
  };
  const schema = body.content[type]?.schema;
  assert(schema?.properties !== undefined, `${path} ${type}`);
  return { properties: schema.properties, required: schema.required ?? [] };
}

/** Every pair of status and code that an operation or a shared response speaks of. */
function codesIn(document: OpenApiDocument): [status: number, code: string][] {
  const responses = [
    ...operationsIn(document).flatMap(({ method, path }) =>
      Object.entries(document.paths[path]?.[method]?.responses ?? {}),
    ),
    ...Object.entries(document.components.responses),
  ];
  return responses.flatMap(([, response]) => {
    const { content } = response as { content?: Record<string, { schema?: Schema }> };
    const properties = content?.['application/json']?.schema?.properties ?? {};
    const codes = (properties['code']?.['enum'] ?? []) as string[];
    return codes.map((code): [number, string] => [Number(properties['status']?.['const']), code]);
  });
}

interface Layer {
  readonly slash: boolean;
  readonly route?: { readonly path: string | string[]; readonly methods: Readonly<Record<string, boolean>> };
  readonly handle: { readonly stack?: readonly Layer[] };
}

/** `method path` of every route that responds; a router that is not mounted at the root is at `base`. */
function routesOf(context: AppContext, base: string): string[] {
  const app: { router: unknown } = createApp(context);
  const { stack } = app.router as { stack: readonly Layer[] };
  const walk = (layers: readonly Layer[], prefix: string): string[] =>
    layers.flatMap(({ route, handle, slash }) => {
      if (route === undefined) return walk(handle.stack ?? [], slash ? prefix : `${prefix}${base}`);
      const methods = Object.keys(route.methods).filter((method) => method !== '_all');
      return [route.path].flat().flatMap((path) => methods.map((method) => `${method} ${prefix}${path}`));
    });
  // A path may take two kinds of body, each in its own route.
  return [...new Set(walk(stack, ''))];
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type Server as HttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import type { FinishedUpload, PendingUpload } from '../../server/embedding.ts';
import {
  ConfigError,
  createServer,
  createUploadRouter,
  type Options,
  settingsFromEnv,
  UploadRejected,
} from '../../server/index.ts';
import { complete, initiated, jsonOf, putContent, sendForm } from '../helpers/direct-steps.ts';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { settingsFor } from '../helpers/sandbox-settings.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, settled } from '../helpers/test-server.ts';

const PICTURE = filePart('a.png', fixture('picture.png'));
const silent = Object.fromEntries(
  ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((level) => [level, () => {}]),
) as unknown as NonNullable<Options['logger']>;

/** A body whose form the test knows. */
// biome-ignore lint/suspicious/noExplicitAny: each test looks at other members
const bodyOf = ({ body }: { body: unknown }): any => body;

describe('afterUpload of complete', () => {
  for (const way of ['initiate', 'leading bytes', 'direct'] as const) {
    it(`gets the contact that was given: ${way}`, async () => {
      const seen: FinishedUpload[] = [];
      await using testServer = await createTestServer({
        embedding: { afterUpload: (upload) => void seen.push(upload) },
      });
      const { fields } = testServer;
      const form = [...textParts(fields), PICTURE];
      const step =
        way === 'initiate'
          ? await initiated(testServer, { ...fields, filename: 'a.png', contentType: 'image/png' })
          : bodyOf(
              way === 'direct'
                ? await sendUpload(testServer, form, { query: '?mode=direct' })
                : await sendForm(testServer, form, { path: '/initiate' }),
            );
      await putContent(testServer, step, fixture('picture.png'));
      assert.equal((await complete(testServer, { ticket: step.ticket })).status, 200);
      await settled(() => seen.length > 0, 'afterUpload');
      assert.equal(seen[0]?.contactId, fields['contactId']);
      assert.equal(jsonOf(testServer, 'initiate')['contactId'], undefined, 'Leadway has no such field');
    });
  }
});

describe('beforeUpload', () => {
  it('gets the user, the ids and the checked file, before anything is sent', async () => {
    const seen: PendingUpload[] = [];
    await using testServer = await createTestServer({
      embedding: { beforeUpload: (upload) => void seen.push(upload) },
    });
    const response = await sendUpload(testServer, [...textParts(testServer.fields), PICTURE]);
    assert.equal(response.status, 200, JSON.stringify(response.body));
    const [upload] = seen;
    assert.equal(seen.length, 1);
    assert.deepEqual(upload?.files, [{ name: 'a.png', contentType: 'image/png' }]);
    assert.equal(upload?.conversationId, testServer.fields['conversationId']);
    assert.equal(upload?.contactId, testServer.fields['contactId']);
    assert.equal(upload?.locationId, testServer.sandbox.locationId);
    assert.equal(upload?.user.locations, 'all');
    await testServer.assertClean({ completeUploads: 1 });
  });

  for (const mode of ['forward', 'direct', 'relay', 'auto']) {
    it(`sees an id that follows the file, before the commit: ${mode}`, async () => {
      await using testServer = await createTestServer({
        embedding: {
          beforeUpload({ conversationId, contactId }) {
            if (contactId === 'evil' || conversationId === 'evil')
              throw new UploadRejected(403, 'Not yours.');
          },
        },
      });
      const field = mode === 'direct' || mode === 'relay' ? 'conversationId' : 'contactId';
      const others = Object.fromEntries(Object.entries(testServer.fields).filter(([name]) => name !== field));
      const files = [...textParts(others), PICTURE, ...textParts({ [field]: 'evil' })];
      const response = await sendUpload(testServer, files, { query: `?mode=${mode}` });
      assert.equal(response.status, 403, JSON.stringify(response.body));
      assert.equal(bodyOf(response).message, 'Not yours.');
      await testServer.assertClean();
    });
  }

  it('rejects a streamed upload, and nothing complete reaches Leadway', async () => {
    await using testServer = await createTestServer({
      embedding: {
        async beforeUpload({ files }) {
          if (files.some(({ contentType }) => contentType === 'video/mp4')) {
            throw new UploadRejected(422, 'No films.');
          }
        },
      },
    });
    const response = await sendUpload(testServer, [
      ...textParts(testServer.fields),
      filePart('a.mp4', mp4(2_000_000)),
    ]);
    assert.equal(response.status, 422);
    assert.equal(bodyOf(response).code, 'UPLOAD_REJECTED');
    await testServer.assertClean();
  });

  it('is asked before a signed URL is', async () => {
    await using testServer = await createTestServer({
      embedding: {
        beforeUpload() {
          throw new UploadRejected(409, 'Closed.');
        },
      },
    });
    const response = await fetch(`${testServer.api}/messages/upload/initiate`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ conversationId: testServer.fields['conversationId'], filename: 'a.png' }),
    });
    assert.equal(response.status, 409);
    assert.equal(testServer.sandbox.requests.length, 0);
  });

  it('that fails is a mistake of the server, without its words', async () => {
    await using testServer = await createTestServer({
      embedding: {
        beforeUpload() {
          throw new Error('the database password is wrong');
        },
      },
    });
    const response = await sendUpload(testServer, [...textParts(testServer.fields), PICTURE]);
    assert.equal(response.status, 500);
    assert.doesNotMatch(JSON.stringify(response.body), /password/);
    await testServer.assertClean();
  });

  it('rejects with a 4xx only', () => {
    for (const status of [200, 399, 500, 422.5, Number.NaN]) {
      assert.throws(() => new UploadRejected(status, 'no'), TypeError);
    }
  });
});

describe('afterUpload', () => {
  for (const mode of ['forward', 'relay'] as const) {
    it(`gets what Leadway has: ${mode}`, async () => {
      const seen: FinishedUpload[] = [];
      await using testServer = await createTestServer({
        embedding: { afterUpload: (upload) => void seen.push(upload) },
      });
      const response = await sendUpload(testServer, [...textParts(testServer.fields), PICTURE], {
        query: `?mode=${mode}`,
      });
      const { uploadedFiles } = bodyOf(response);
      await settled(() => seen.length === 1, 'the hook has run');
      assert.equal(seen[0]?.mode, mode);
      assert.deepEqual(seen[0]?.files, [
        {
          name: 'a.png',
          contentType: 'image/png',
          size: fixture('picture.png').length,
          url: uploadedFiles['a.png'],
        },
      ]);
    });
  }

  it('gets a direct upload when it is complete', async () => {
    const seen: FinishedUpload[] = [];
    await using testServer = await createTestServer({
      embedding: { afterUpload: (upload) => void seen.push(upload) },
    });
    const first = await sendUpload(testServer, [...textParts(testServer.fields), PICTURE], {
      query: '?mode=direct',
    });
    const { uploadUrl, headers, ticket, completeUrl } = bodyOf(first);
    assert.equal(seen.length, 0);
    await fetch(uploadUrl, { method: 'PUT', headers, body: fixture('picture.png') });
    await fetch(new URL(completeUrl, testServer.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ticket }),
    });
    await settled(() => seen.length === 1, 'the hook has run');
    assert.equal(seen[0]?.mode, 'direct');
    assert.equal(seen[0]?.files[0]?.size, fixture('picture.png').length);
  });

  it('that fails is logged and not shown', async () => {
    await using testServer = await createTestServer({
      embedding: {
        afterUpload() {
          throw new Error('no database');
        },
      },
    });
    const response = await sendUpload(testServer, [...textParts(testServer.fields), PICTURE]);
    assert.equal(response.status, 200);
    await settled(() => testServer.log.lines.some((line) => /afterUpload failed/.test(line)), 'it is logged');
  });
});

describe('settingsFromEnv', () => {
  it('throws all problems at once', () => {
    assert.throws(
      () => settingsFromEnv({ PORT: 'eighty', MAX_FILES: '0' }),
      (error: unknown) =>
        error instanceof ConfigError &&
        error.problems.map(({ name }) => name).join() === 'PORT,MAX_FILES' &&
        /^PORT: .*\nMAX_FILES: /.test(error.message),
    );
  });
});

describe('createServer', () => {
  it('listens, serves the sandbox without a token, and closes', async () => {
    const settings = settingsFromEnv({ HOST: '127.0.0.1', PORT: '0' });
    const server = createServer({ settings, logger: silent });
    const { url } = await server.listen();
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    assert.equal((await fetch(`${url}/`)).status, 200);
    await server.close({ graceMs: 1_000 });
    await assert.rejects(fetch(`${url}/healthz`));
  });

  it('closes when it has never listened', async () => {
    const settings = settingsFromEnv({ HOST: '127.0.0.1', PORT: '0' });
    await createServer({ settings, logger: silent }).close();
  });
});

describe('createUploadRouter', () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await createSandbox();
  });
  after(() => sandbox.close());

  async function mounted(
    prepare: (app: express.Express, router: ReturnType<typeof createUploadRouter>) => void,
    options: Partial<Options> = {},
  ) {
    const settings = settingsFromEnv({ ...settingsFor(sandbox), BASE_PATH: '/ignored' });
    const router = createUploadRouter({ settings, logger: silent, ...options });
    const app = express();
    prepare(app, router);
    const listener: HttpServer = app.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    return {
      url: `http://127.0.0.1:${port}`,
      async [Symbol.asyncDispose]() {
        listener.close();
        listener.closeAllConnections();
        await router.close({ graceMs: 0 });
      },
    };
  }

  const formFor = () => {
    const form = new FormData();
    form.append('conversationId', sandbox.conversationId);
    form.append('contactId', sandbox.contactId);
    form.append('fileAttachment', new Blob([fixture('picture.png')], { type: 'image/png' }), 'a.png');
    return form;
  };

  it('takes uploads at its mount path, and tells URLs below it', async () => {
    await using app = await mounted((host, router) => host.use('/files/v1', router));
    const upload = `${app.url}/files/v1/messages/upload`;
    const forwarded = await fetch(upload, { method: 'POST', body: formFor() });
    assert.equal(forwarded.status, 200, await forwarded.clone().text());
    const direct = await fetch(`${upload}?mode=direct`, { method: 'POST', body: formFor() });
    assert.equal(direct.status, 202);
    const { contentUrl, completeUrl } = (await direct.json()) as Record<string, string>;
    assert.equal(contentUrl, '/files/v1/messages/upload/content');
    assert.equal(completeUrl, '/files/v1/messages/upload/complete');
    assert.equal((await fetch(`${app.url}/ignored/config`)).status, 404);
    assert.equal((await fetch(`${app.url}/files/v1/client.js`)).status, 200);
    const document = (await (await fetch(`${app.url}/files/v1/openapi.json`)).json()) as { openapi: string };
    assert.match(document.openapi, /^3\.1/);
  });

  it('takes users from authenticate', async () => {
    const users: Record<string, { id: string; locations: string[] | 'all' }> = {
      ann: { id: 'ann', locations: 'all' },
      bob: { id: 'bob', locations: ['elsewhere'] },
    };
    await using app = await mounted((host, router) => host.use('/api', router), {
      authenticate: (req) => users[req.get('X-Test-User') ?? ''] ?? null,
    });
    const send = (user: string) =>
      fetch(`${app.url}/api/messages/upload`, {
        method: 'POST',
        body: formFor(),
        headers: { 'X-Test-User': user },
      });
    assert.equal((await send('nobody')).status, 401);
    assert.equal((await send('bob')).status, 403);
    assert.equal((await send('ann')).status, 200);
  });

  it('trusts proxies as TRUST_PROXY says, whatever the app trusts', async () => {
    const sendAs = async (trustProxy: string, prepare: (host: express.Express) => void = () => {}) => {
      const env = { ...settingsFor(sandbox), AUTH: 'header', TRUST_PROXY: trustProxy };
      const settings = settingsFromEnv(env);
      const mount = (host: express.Express, router: express.Router) => {
        prepare(host);
        host.use('/api', router).use('/nested', express.Router().use('/api', router));
      };
      await using app = await mounted(mount, { settings });
      const statuses = [];
      for (const path of ['/api', '/nested/api']) {
        const headers = { 'X-Forwarded-User': 'ann' };
        const init = { method: 'POST', body: formFor(), headers };
        statuses.push((await fetch(`${app.url}${path}/messages/upload`, init)).status);
      }
      return statuses;
    };
    assert.deepEqual(await sendAs('127.0.0.1'), [200, 200]);
    assert.deepEqual(await sendAs('10.0.0.1', (host) => host.set('trust proxy', true)), [401, 401]);
  });

  it('rejects hosts that are not local outside production', async () => {
    await using app = await mounted((host, router) => host.use('/api', router));
    const { hostname, port } = new URL(app.url);
    const request = get({ hostname, port, path: '/api/config', headers: { Host: 'evil.example' } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 403);
    assert.match(await text(response), /evil\.example/);
  });

  it('behind a body parser says what is wrong, logs the fix, and does not hang', async () => {
    const errors: string[] = [];
    const logger = { ...silent, error: (_: unknown, message: string) => errors.push(message) };
    await using app = await mounted(
      (host, router) => host.use(express.json(), express.raw({ type: 'multipart/*' })).use('/api', router),
      { logger: logger as unknown as NonNullable<Options['logger']> },
    );
    const json = { 'Content-Type': 'application/json' };
    const body = JSON.stringify({ conversationId: sandbox.conversationId, filename: 'a.png' });
    const path = `${app.url}/api/messages/upload`;
    for (const response of [
      await fetch(`${path}/initiate`, { method: 'POST', headers: json, body }),
      await fetch(path, { method: 'POST', body: formFor() }),
    ]) {
      assert.equal(response.status, 500);
      const error = (await response.json()) as { code: string; message: string };
      assert.equal(error.code, 'INTERNAL');
      assert.match(error.message, /read the upload before the upload router/);
    }
    assert(errors.some((message) => /mount the router first/.test(message)));
  });

  it('opens no port for metrics and sends no traces, and says so where they are set', async () => {
    const warnings: string[] = [];
    const logger = { ...silent, warn: (_: unknown, message: string) => warnings.push(message) };
    const settings = settingsFromEnv({
      ...settingsFor(sandbox),
      ADMIN_PORT: '9090',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    });
    const router = createUploadRouter({
      settings,
      logger: logger as unknown as NonNullable<Options['logger']>,
    });
    await router.close();
    assert.deepEqual(
      warnings.map((warning) => warning.split(' ')[0]),
      ['ADMIN_PORT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    );
  });

  it('needs a token', () => {
    const settings = settingsFromEnv({});
    assert.throws(() => createUploadRouter({ settings }), ConfigError);
  });

  it('takes no settings but those that were checked', () => {
    assert.throws(() => createUploadRouter({ settings: { warnings: [] } }), TypeError);
  });
});

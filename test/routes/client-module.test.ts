import assert from 'node:assert/strict';
import request from 'supertest';
import { toBrowserCode } from '../../middleware/browser-modules.ts';
import { createTestServer } from '../helpers/test-server.ts';

describe('GET /client.js', () => {
  it('is one minified module with the uploader and the store, at every base path', async () => {
    for (const basePath of ['/api', '/up/v1', '/']) {
      await using testServer = await createTestServer({ env: { BASE_PATH: basePath } });
      const { status, headers, text } = await request(testServer.api.replace(/\/$/, '')).get('/client.js');
      assert.equal(status, 200);
      assert.match(headers['content-type'] ?? '', /^text\/javascript/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert(!/\bimport\b/.test(text), 'it imports nothing');
      assert(text.split('\n').length < 20, 'it is minified');
      const client = await import(`data:text/javascript,${encodeURIComponent(text)}`);
      assert.deepEqual(Object.keys(client).toSorted(), [
        'UploadError',
        'createUploadStore',
        'createUploader',
        'deliveryWarning',
      ]);
    }
  });

  it('is asked for again only when it has changed', async () => {
    await using testServer = await createTestServer();
    for (const path of ['/client.js', '/element.js']) {
      const first = await request(testServer.api).get(path).expect(200);
      assert.equal(first.headers['cache-control'], 'no-cache');
      const etag = first.headers['etag'] ?? '';
      await request(testServer.api).get(path).set('If-None-Match', etag).expect(304);
      const head = await request(testServer.api).head(path).expect(200);
      assert.equal(head.headers['etag'], etag);
    }
  });

  it('is readable for pages of allowed origins', async () => {
    const origin = 'https://app.example';
    await using testServer = await createTestServer({ env: { ALLOWED_ORIGINS: origin } });
    for (const path of ['/client.js', '/element.js']) {
      const allowed = await request(testServer.api).get(path).set('Origin', origin);
      assert.equal(allowed.headers['access-control-allow-origin'], origin);
      const other = await request(testServer.api).get(path).set('Origin', 'https://other.example');
      assert.equal(other.headers['access-control-allow-origin'], undefined);
    }
  });

  it('can only be read, and nothing beside it', async () => {
    await using testServer = await createTestServer();
    for (const path of ['/client.js', '/element.js']) {
      const { body, headers } = await request(testServer.api).post(path).expect(405);
      assert.equal(body.code, 'METHOD_NOT_ALLOWED');
      assert.equal(headers['allow'], 'GET, HEAD');
    }
    for (const path of ['client/index.js', 'client/store.js', 'client/', 'client.ts', 'client.js%00']) {
      const { status, text } = await request(testServer.url).get(`/api/${path}`);
      assert(status === 404 || status === 400, `${path} ${status}`);
      assert(!text.includes('import '), path);
    }
    await testServer.assertClean();
  });
});

describe('TypeScript for browsers', () => {
  it('has no types, names modules as browsers find them, and keeps its lines', () => {
    const source = [
      "import type { A } from './types.ts';",
      "import { b, type B } from './part/b.ts';",
      "export * from '../c.ts';",
      'export const load = (a: A): Promise<B> => import("./d.ts");',
      "export const text: string = 'a.ts';",
    ].join('\n');
    const code = toBrowserCode(source);
    assert.deepEqual(
      code.split('\n').map((line) => line.replace(/\s+/g, ' ').trim()),
      [
        '',
        "import { b, } from './part/b.js';",
        "export * from '../c.js';",
        'export const load = (a ) => import("./d.js");',
        "export const text = 'a.ts';",
      ],
    );
  });
});

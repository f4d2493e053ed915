import assert from 'node:assert/strict';
import request from 'supertest';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

describe('the page and its policy', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await createTestServer({ page: true });
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  it('lets the page load its own files and talk to us and to storage, and nothing else', async () => {
    const response = await request(testServer.url)
      .get('/')
      .expect(200)
      .expect('Content-Type', /^text\/html/);
    const ours = `'self' ${testServer.sandbox.storageOrigin}`;
    assert.deepEqual(response.get('Content-Security-Policy')?.split(';').sort(), [
      "base-uri 'none'",
      `connect-src ${ours}`,
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      `img-src ${ours}`,
      "script-src 'self'",
      "style-src 'self'",
    ]);
    await testServer.assertClean();
  });

  it('leaves the policy of everything else as it is', async () => {
    const page = await request(testServer.url).get('/');
    for (const path of ['/main.js', '/healthz', '/api/config', '/nothing-here']) {
      const response = await request(testServer.url).get(path);
      assert(response.get('Content-Security-Policy'), path);
      assert.notEqual(response.get('Content-Security-Policy'), page.get('Content-Security-Policy'), path);
    }
  });

  it('tells the page where to upload, and no secret', async () => {
    const response = await request(testServer.url).get('/demo.json').expect(200);
    assert.deepEqual(response.body, { basePath: '/api', ...testServer.fields });
  });

  it('gives out nothing but what the page needs of its own folder', async () => {
    for (const path of [
      '/main.ts',
      '/tsconfig.json',
      '/client/tsconfig.json',
      '/../package.json',
      '/%2e%2e/package.json',
      '/..%2fpackage.json',
      '/.env',
    ]) {
      const response = await request(testServer.url).get(path);
      assert(
        response.status === 400 || response.status === 403 || response.status === 404,
        `${path}: ${response.status}`,
      );
    }
  });

  it('is not there unless it is asked for', async () => {
    await using plain = await createTestServer();
    for (const path of ['/', '/demo.json', '/main.js']) {
      const response = await request(plain.url).get(path).expect(404);
      assert.equal(response.body.code, 'NOT_FOUND');
    }
  });
});

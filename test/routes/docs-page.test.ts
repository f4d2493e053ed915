import assert from 'node:assert/strict';
import request from 'supertest';
import { describeInBrowsers } from '../helpers/browser.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

describe('GET /docs', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer();
  });
  after(() => testServer[Symbol.asyncDispose]());

  it('is a page without inline scripts under a policy that allows none', async () => {
    const { text, headers } = await request(testServer.api)
      .get('/docs')
      .expect(200)
      .expect('Content-Type', /html/);
    assert.doesNotMatch(text, /<script(?![^>]*\ssrc=)|\son\w+=|<style/);
    const policy = headers['content-security-policy'] ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:/);
  });

  it('gets all of its files from this server', async () => {
    const { text } = await request(testServer.api).get('/docs').expect(200);
    const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
    assert.equal(files.length, 4);
    for (const file of files) {
      assert.doesNotMatch(file, /^(?:https?:)?\/\//);
      await request(testServer.api).get(`/${file}`).expect(200);
    }
  });

  it('serves nothing else of the package that it comes from', async () => {
    for (const path of ['package.json', 'index.html', '../package.json', '%2e%2e/package.json', '']) {
      const { status } = await request(testServer.api).get(`/docs/${path}`);
      assert.equal(status, path === '' ? 308 : 404, path);
    }
  });

  it('responds to other methods with 405', async () => {
    await request(testServer.api).post('/docs').expect(405).expect('Allow', 'GET, HEAD');
    await request(testServer.api).put('/openapi.json').expect(405).expect('Allow', 'GET, HEAD');
  });
});

describeInBrowsers('GET /docs', (browser) => {
  it('shows the API, without a complaint or a call to another host', async () => {
    await using testServer = await createTestServer();
    const context = await browser().createBrowserContext();
    try {
      const page = await context.newPage();
      const complaints: string[] = [];
      const hosts = new Set<string>();
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('request', (sent) => {
        if (!sent.url().startsWith('data:')) hosts.add(new URL(sent.url()).origin);
      });
      await page.goto(`${testServer.api}/docs/`);
      await page.locator('#operations-uploads-upload .opblock-summary-control').click();
      await page.waitForSelector('#operations-uploads-upload .responses-table');
      assert.deepEqual(complaints, []);
      assert.deepEqual([...hosts], [testServer.url]);
    } finally {
      await context.close();
    }
  });
});

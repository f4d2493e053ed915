import assert from 'node:assert/strict';
import { connectTo } from '../helpers/raw-client.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

async function statusFor(testServer: TestServer, host: string): Promise<number> {
  using client = await connectTo(testServer);
  await client.send(`GET /api/config HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return (await client.response()).status;
}

describe('a Host header', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ env: { NODE_ENV: 'production', AUTH: 'none' } });
  });
  after(() => testServer[Symbol.asyncDispose]());

  for (const host of [
    'own.example@evil.example',
    'user:pass@own.example',
    'evil.example/own.example',
    'own.example#evil.example',
    'own.example?x',
    'own.example\\evil.example',
    'own.example evil.example',
    'own.example, evil.example',
    'own.example:80:80',
    'http://own.example',
    '[::1',
    '[::1]evil.example',
  ]) {
    it(`that names no host is rejected: ${host}`, async () =>
      assert.equal(await statusFor(testServer, host), 400));
  }

  for (const host of [
    'own.example',
    'OWN.example:8080',
    'my_container:3000',
    '127.0.0.1',
    '[::1]:3000',
    'own.example.',
  ]) {
    it(`that names one is taken: ${host}`, async () => assert.equal(await statusFor(testServer, host), 200));
  }
});

import assert from 'node:assert/strict';
import { NOT_ASSESSED } from '../../../server/delivery/assess.ts';
import { AppError } from '../../../server/errors/app-error.ts';
import { type DirectFile, isStorageUrl } from '../../../server/uploads/direct.ts';
import { call, jsonOf, seen } from '../../helpers/direct-steps.ts';
import { createTestServer, type TestServer } from '../../helpers/test-server.ts';

describe('direct uploads', () => {
  let testServer: TestServer;
  let file: DirectFile;
  const { signal } = new AbortController();
  beforeEach(async () => {
    testServer = await createTestServer();
    const { locationId, conversationId } = testServer.sandbox;
    file = {
      client: 'ip:127.0.0.1',
      locationId,
      conversationId,
      contactId: null,
      filename: 'note.txt',
      contentType: 'text/plain',
      fileSize: null,
      channel: 'SMS',
      delivery: NOT_ASSESSED,
    };
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  it('seal into the ticket the request and the response', async () => {
    const { direct, tickets } = testServer.server.context;
    const ticket = await direct.initiate(file, signal);
    assert(ticket !== null);
    const response = await direct.toResponse(ticket);
    const opened = await tickets.open(response.ticket, file.client, 'content');
    for (const [name, value] of Object.entries({ ...file, uploadUrl: response.uploadUrl })) {
      assert.deepEqual(opened[name as keyof typeof opened], value, name);
    }
    assert.equal(jsonOf(testServer, 'initiate')['caller'], undefined);
  });

  it('are not asked for again while they are known not to be offered', async () => {
    testServer.sandbox.fault = 'no-initiate';
    const { direct } = testServer.server.context;
    for (let count = 0; count < 3; count++) assert.equal(await direct.initiate(file, signal), null);
    assert.equal(direct.isOffered(file.locationId), false);
    assert.equal(seen(testServer, 'initiate').length, 1);
  });

  it('hold the stored size to the declared one', async () => {
    const { direct } = testServer.server.context;
    const ticket = await direct.initiate({ ...file, fileSize: 6 }, signal);
    assert(ticket !== null);
    await call(ticket.uploadUrl, { method: 'PUT', headers: { 'Content-Type': 'text/plain' }, body: 'hello' });
    await assert.rejects(
      direct.complete(ticket, signal),
      (error) => error instanceof AppError && error.code === 'SIZE_MISMATCH',
    );
    assert.equal((await direct.complete({ ...ticket, fileSize: 5 }, signal)).metadata.size, 5);
  });
});

describe('the origin of a signed URL', () => {
  const exact = { scheme: 'https', host: 'storage.example', port: 443, wildcard: false } as const;
  const below = { ...exact, wildcard: true };

  it('is the listed one, or below it where a wildcard says so', () => {
    assert(isStorageUrl('https://storage.example/a?b=c', [exact]));
    assert(isStorageUrl('https://storage.example:443/a', [exact]));
    assert(isStorageUrl('https://bucket.storage.example/a', [exact, below]));
    assert(!isStorageUrl('https://bucket.storage.example/a', [exact]));
    assert(!isStorageUrl('https://storage.example/a', [below]));
    assert(!isStorageUrl('https://storage.example/a', []));
  });

  it('is read from what every client reads alike', () => {
    for (const text of [
      'https://storage.example\\a',
      'https://storage.example',
      'https:/storage.example/a',
    ]) {
      assert(!isStorageUrl(text, [exact]), text);
    }
  });
});

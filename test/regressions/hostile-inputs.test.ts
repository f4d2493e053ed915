import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { createTypePolicy } from '../../server/file-types/file-types.ts';
import { checkContent } from '../../server/file-types/validation.ts';
import { parseRejection, toClientError } from '../../server/leadway/errors.ts';
import { createTestServer } from '../helpers/test-server.ts';
import { localEntry } from '../helpers/zip.ts';

/** The status of the response to `call`, whose body need not have been sent. */
async function statusOf(call: http.ClientRequest): Promise<number | undefined> {
  const [response] = (await once(call, 'response')) as [http.IncomingMessage];
  response.resume();
  call.destroy();
  return response.statusCode;
}

describe('what an attack has found', () => {
  it('a DOCX with many lists of content types is rejected at the second', async () => {
    const list = localEntry({ name: '[Content_Types].xml', content: Buffer.alloc(256 * 1024, 'a') });
    const result = await checkContent({
      filename: 'a.docx',
      declaredType: null,
      isMultipart: true,
      policy: createTypePolicy(['docx']),
      bytes: Buffer.concat(Array.from({ length: 200 }, () => list)),
      isWhole: false,
    });
    assert.equal(result.ok, false);
  });

  it('an invalid trace id, or one that holds a secret, is not passed on', () => {
    const upstreamTraceIdOf = (traceId: unknown) =>
      toClientError(parseRejection(400, JSON.stringify({ message: 'no', traceId }), {}), ['secret-token'])
        .options.upstreamTraceId;
    assert.equal(
      upstreamTraceIdOf('c667b18d-8f5d-44f7-ad74-d1ab6d8a6d6c'),
      'c667b18d-8f5d-44f7-ad74-d1ab6d8a6d6c',
    );
    for (const traceId of [
      'Bearer secret-token',
      'x-secret-token-x',
      'pit-1234',
      'eyJhbGciOi',
      7,
      'a'.repeat(65),
    ]) {
      assert.equal(upstreamTraceIdOf(traceId), undefined, `${traceId}`);
    }
  });

  it('a second content type, with its own boundary, is rejected', async () => {
    await using testServer = await createTestServer();
    const call = http.request(`${testServer.api}/messages/upload`, {
      method: 'POST',
      // Pairs in a flat list: the only way to send a header twice.
      headers: [
        ...['Host', new URL(testServer.url).host, 'Content-Length', '4'],
        ...['Content-Type', 'multipart/form-data; boundary=x'],
        ...['Content-Type', 'multipart/form-data; boundary=y'],
      ],
    });
    call.end('--x\r');
    assert.equal(await statusOf(call), 400);
  });

  it('JSON that is announced too long is rejected before its first byte', async () => {
    await using testServer = await createTestServer();
    const call = http.request(`${testServer.api}/messages/upload/complete`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Content-Length': 2_000_000 },
    });
    call.flushHeaders();
    assert.equal(await statusOf(call), 413);
  });

  it('JSON of unknown length is rejected as soon as it is too long', async () => {
    await using testServer = await createTestServer();
    const call = http.request(`${testServer.api}/messages/upload/complete`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
    });
    call.write(Buffer.alloc(1_200_000, ' ')); // and no end
    assert.equal(await statusOf(call), 413);
  });

  it('a location that is not the client’s is rejected from the query alone', async () => {
    await using testServer = await createTestServer();
    const call = http.request(`${testServer.api}/messages/upload?locationId=another`, {
      method: 'POST',
      headers: { 'Content-Type': 'multipart/form-data; boundary=x', 'Content-Length': 1_000_000 },
    });
    call.flushHeaders();
    assert.equal(await statusOf(call), 403);
  });
});

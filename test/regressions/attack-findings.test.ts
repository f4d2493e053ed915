import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { createTypePolicy } from '../../server/file-types/file-types.ts';
import { checkLeadingBytes } from '../../server/file-types/validation.ts';
import { parseRefusal, toCallerError } from '../../server/leadway/leadway-errors.ts';
import { createHouse } from '../helpers/house.ts';
import { localEntry } from '../helpers/zip.ts';

/** The status of the answer to `call`, whose body need not have been sent. */
async function statusOf(call: http.ClientRequest): Promise<number | undefined> {
  const [answer] = (await once(call, 'response')) as [http.IncomingMessage];
  answer.resume();
  call.destroy();
  return answer.statusCode;
}

describe('what an attack has found', () => {
  it('a DOCX with many lists of content types is refused at the second', async () => {
    const list = localEntry({ name: '[Content_Types].xml', content: Buffer.alloc(256 * 1024, 'a') });
    const result = await checkLeadingBytes({
      filename: 'a.docx',
      declared: null,
      multipart: true,
      policy: createTypePolicy(['docx']),
      bytes: Buffer.concat(Array.from({ length: 200 }, () => list)),
      isWhole: false,
    });
    assert.equal(result.ok, false);
  });

  it('a trace id that is none, or holds a secret, is not passed on', () => {
    const upstreamTraceIdOf = (traceId: unknown) =>
      toCallerError(parseRefusal(400, JSON.stringify({ message: 'no', traceId }), {}), ['secret-token'])
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

  it('a second content type, with a boundary of its own, is refused', async () => {
    await using house = await createHouse();
    const call = http.request(`${house.api}/messages/upload`, {
      method: 'POST',
      // Pairs in a flat list: the only way to send a header twice.
      headers: [
        ...['Host', new URL(house.url).host, 'Content-Length', '4'],
        ...['Content-Type', 'multipart/form-data; boundary=x'],
        ...['Content-Type', 'multipart/form-data; boundary=y'],
      ],
    });
    call.end('--x\r');
    assert.equal(await statusOf(call), 400);
  });

  it('JSON that is announced too long is refused before its first byte', async () => {
    await using house = await createHouse();
    const call = http.request(`${house.api}/messages/upload/complete`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Content-Length': 2_000_000 },
    });
    call.flushHeaders();
    assert.equal(await statusOf(call), 413);
  });

  it('JSON of unknown length is refused as soon as it is too long', async () => {
    await using house = await createHouse();
    const call = http.request(`${house.api}/messages/upload/complete`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
    });
    call.write(Buffer.alloc(1_200_000, ' ')); // and no end
    assert.equal(await statusOf(call), 413);
  });

  it('a location that is not the caller’s is refused from the query alone', async () => {
    await using house = await createHouse();
    const call = http.request(`${house.api}/messages/upload?locationId=another`, {
      method: 'POST',
      headers: { 'Content-Type': 'multipart/form-data; boundary=x', 'Content-Length': 1_000_000 },
    });
    call.flushHeaders();
    assert.equal(await statusOf(call), 403);
  });
});

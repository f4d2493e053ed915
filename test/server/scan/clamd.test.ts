import assert from 'node:assert/strict';
import { ClamdError, ClamdStream, ping } from '../../../server/scan/clamd.ts';
import { startFakeClamd } from '../../helpers/clamd.ts';
import { freePort } from '../../helpers/free-port.ts';

const TIMEOUT_MS = 5_000;

function addressOf(url: string) {
  return { kind: 'tcp', host: '127.0.0.1', port: Number(new URL(url).port) } as const;
}

async function scan(url: string, chunks: readonly Buffer[], timeoutMs = TIMEOUT_MS) {
  const stream = new ClamdStream(addressOf(url), timeoutMs);
  for (const chunk of chunks) await stream.write(chunk);
  return await stream.end();
}

describe('a stream to clamd', () => {
  for (const [response, expected] of [
    ['stream: OK', { kind: 'clean' }],
    ['stream: Win.Test.EICAR_HDB-1 FOUND', { kind: 'infected', signature: 'Win.Test.EICAR_HDB-1' }],
    ['stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND', { kind: 'over-limit' }],
    ['INSTREAM size limit exceeded. ERROR', { kind: 'over-limit' }],
  ] as const) {
    it(`takes "${response}" for ${expected.kind}`, async () => {
      await using clamd = await startFakeClamd({ response });
      assert.deepEqual(
        await scan(clamd.url, [Buffer.from('abc'), Buffer.alloc(0), Buffer.alloc(70_000, 1)]),
        expected,
      );
    });
  }

  it('keeps a response that comes before the end of the file', async () => {
    await using clamd = await startFakeClamd({
      response: 'INSTREAM size limit exceeded. ERROR',
      afterBytes: 1_000,
    });
    const chunks = Array.from({ length: 100 }, () => Buffer.alloc(64 * 1024, 1));
    assert.deepEqual(await scan(clamd.url, chunks), { kind: 'over-limit' });
  });

  it('takes a reset after so many bytes for its limit, as long as clamd is alive', async () => {
    await using clamd = await startFakeClamd({ response: null, afterBytes: 24 * 1024 * 1024 });
    const chunks = Array.from({ length: 500 }, () => Buffer.alloc(64 * 1024, 1));
    const stream = new ClamdStream(addressOf(clamd.url), TIMEOUT_MS);
    for (const chunk of chunks) await stream.write(chunk);
    assert.deepEqual(await stream.end(), { kind: 'over-limit' });
  });

  for (const [what, options] of [
    ['closes the connection', { response: null }],
    ['responds with something else', { response: 'UNKNOWN COMMAND' }],
    ['dies in the middle of a file', { response: null, afterBytes: 1_000, dies: true }],
  ] as const) {
    it(`fails when clamd ${what}`, async () => {
      await using clamd = await startFakeClamd(options);
      await assert.rejects(scan(clamd.url, [Buffer.alloc(5_000, 1), Buffer.alloc(5_000, 1)]), ClamdError);
    });
  }

  it('fails when clamd does not respond in time', async () => {
    await using clamd = await startFakeClamd({ response: 'never', afterBytes: Number.NaN });
    await assert.rejects(scan(clamd.url, [Buffer.from([1])], 50), /no progress for 50 ms/);
  });

  it('fails when nothing listens', async () => {
    const url = `tcp://127.0.0.1:${await freePort()}`;
    await assert.rejects(scan(url, [Buffer.from([1])]), ClamdError);
    await assert.rejects(ping(addressOf(url)), ClamdError);
  });
});

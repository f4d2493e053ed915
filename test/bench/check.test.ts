import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { checkInitiate, checkUpload } from '../../bench/check.ts';
import { QUICK } from '../../bench/options.ts';
import { type Bench, runLoad, startSurroundings } from '../../bench/runner.ts';
import { NO_PROXY, type RunningTarget, TOKEN } from '../../bench/targets.ts';

const FILE_BYTES = 300_000;

/** What a target of the test does to the body. */
type Change = (body: Buffer) => Buffer;

describe('the benchmark', () => {
  const parts = new AsyncDisposableStack();
  let bench: Bench;

  before(async function () {
    if (process.platform !== 'linux') this.skip(); // usage is read from /proc
    const surroundings = parts.use(await startSurroundings());
    bench = { ...surroundings, targets: [], profile: QUICK, progress: () => {} };
  });
  after(async () => {
    await parts.disposeAsync();
  });

  it('accepts a target that delivers what it gets, with the token', async () => {
    await using target = await startProxy((body) => body);
    await checkUpload(target, bench, FILE_BYTES);
    await checkInitiate(target, bench);
  });

  it('rejects a target that changes a byte', async () => {
    await using target = await startProxy((body) => {
      const changed = Buffer.from(body);
      changed[200_000] = ~(changed[200_000] ?? 0);
      return changed;
    });
    await assert.rejects(checkUpload(target, bench, FILE_BYTES), /content at the upstream/);
  });

  it('rejects a target that leaves the token out', async () => {
    await using target = await startProxy((body) => body, { authorization: '' });
    await assert.rejects(checkUpload(target, bench, FILE_BYTES), /token/);
    await assert.rejects(checkInitiate(target, bench), /token/);
  });

  it('rejects a target that claims to check types and does not', async () => {
    await using target = await startProxy((body) => body);
    const claiming = { ...target, target: { ...target.target, hasChecks: true } };
    await assert.rejects(checkUpload(claiming, bench, FILE_BYTES), /a video called clip.pdf/);
  });

  it('rejects a round in which bytes are lost', async () => {
    await using whole = await startProxy((body) => body);
    const load = { kind: 'upload', fileBytes: FILE_BYTES, concurrency: 2, until: { requests: 4 } } as const;
    const { requests } = await runLoad(whole, bench, load);
    assert.equal(requests, 4);

    await using short = await startProxy((body) => body.subarray(0, FILE_BYTES - 1));
    await assert.rejects(runLoad(short, bench, load), /4 of 4 arrived, -4 bytes over/);
  });

  it('rejects a round with a response that is not 200', async () => {
    await using target = await listen((req, res) => {
      req.resume().once('end', () => res.writeHead(503, { 'Content-Length': 0 }).end());
    });
    const load = { kind: 'upload', fileBytes: FILE_BYTES, concurrency: 2, until: { requests: 4 } } as const;
    await assert.rejects(runLoad(target, bench, load), /503/);
  });

  /** A proxy that holds the body, changes it and sends it on. */
  function startProxy(
    change: Change,
    headers: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` },
  ): Promise<RunningTarget> {
    return listen(async (req, res) => {
      const body = change(Buffer.concat(await req.toArray()));
      const response = await fetch(`http://127.0.0.1:${bench.upstreamPort}${req.url}`, {
        method: 'POST',
        headers: { 'Content-Type': req.headers['content-type'] ?? '', ...headers },
        body: new Uint8Array(body),
      });
      const text = await response.text();
      res.writeHead(response.status, { 'Content-Length': Buffer.byteLength(text) }).end(text);
    });
  }
});

async function listen(handle: RequestListener): Promise<RunningTarget> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    target: NO_PROXY,
    port: (server.address() as AddressInfo).port,
    pids: [process.pid],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

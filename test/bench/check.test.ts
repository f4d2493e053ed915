import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { type Bench, startSurroundings } from '../../bench/bench.ts';
import { carry } from '../../bench/carry.ts';
import { checkInitiate, checkUpload } from '../../bench/check.ts';
import { QUICK } from '../../bench/effort.ts';
import type { RunningTarget } from '../../bench/running-target.ts';
import { OURS, TOKEN, targetNamed } from '../../bench/targets.ts';

const FILE_BYTES = 300_000;

/** What a target of the test does to the body on its way. */
type Change = (body: Buffer) => Buffer;

describe('the benchmark', () => {
  const parts = new AsyncDisposableStack();
  let bench: Bench;

  before(async function () {
    if (process.platform !== 'linux') this.skip(); // usage is read from /proc
    bench = { ...(await startSurroundings()), targets: [], effort: QUICK, progress: () => {} };
    parts.use(bench.load);
    parts.use(bench.upstream);
  });
  after(async () => {
    await parts.disposeAsync();
  });

  it('takes a target that delivers what it was given, with the token', async () => {
    await using target = await startProxy((body) => body);
    await checkUpload(target, bench, FILE_BYTES);
    await checkInitiate(target, bench);
  });

  it('takes no target that changes a byte', async () => {
    await using target = await startProxy((body) => {
      const changed = Buffer.from(body);
      changed[200_000] = ~(changed[200_000] ?? 0);
      return changed;
    });
    await assert.rejects(checkUpload(target, bench, FILE_BYTES), /content at the upstream/);
  });

  it('takes no target that leaves the token out', async () => {
    await using target = await startProxy((body) => body, { authorization: '' });
    await assert.rejects(checkUpload(target, bench, FILE_BYTES), /token/);
    await assert.rejects(checkInitiate(target, bench), /token/);
  });

  it('does not believe that a target checks types because it says so', async () => {
    await using target = await startProxy((body) => body);
    const boasting = { ...target, target: { ...target.target, hasChecks: true } };
    await assert.rejects(checkUpload(boasting, bench, FILE_BYTES), /a video called clip.pdf/);
  });

  it('counts no round of which not every byte arrived', async () => {
    await using whole = await startProxy((body) => body);
    const burden = { kind: 'upload', fileBytes: FILE_BYTES, concurrency: 2, until: { requests: 4 } } as const;
    const { requests } = await carry(whole, bench, burden);
    assert.equal(requests, 4);

    await using short = await startProxy((body) => body.subarray(0, FILE_BYTES - 1));
    await assert.rejects(carry(short, bench, burden), /4 of 4 arrived, -4 bytes over/);
  });

  it('counts no round with an answer that is not 200', async () => {
    await using target = await listen((req, res) => {
      req.resume().once('end', () => res.writeHead(503, { 'Content-Length': 0 }).end());
    });
    const burden = { kind: 'upload', fileBytes: FILE_BYTES, concurrency: 2, until: { requests: 4 } } as const;
    await assert.rejects(carry(target, bench, burden), /503/);
  });

  /** A proxy that holds the body, changes it and sends it on. */
  function startProxy(
    change: Change,
    headers: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` },
  ): Promise<RunningTarget> {
    return listen(async (req, res) => {
      const body = change(Buffer.concat(await req.toArray()));
      const answer = await fetch(`http://127.0.0.1:${bench.upstreamPort}${req.url}`, {
        method: 'POST',
        headers: { 'Content-Type': req.headers['content-type'] ?? '', ...headers },
        body: new Uint8Array(body),
      });
      const text = await answer.text();
      res.writeHead(answer.status, { 'Content-Length': Buffer.byteLength(text) }).end(text);
    });
  }
});

async function listen(handle: RequestListener): Promise<RunningTarget> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    target: { ...targetNamed(OURS), hasChecks: false },
    port: (server.address() as AddressInfo).port,
    pids: [process.pid],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

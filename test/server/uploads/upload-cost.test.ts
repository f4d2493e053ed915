import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ByteMeter } from '../../helpers/byte-meter.ts';
import { encodeForm, mp4 } from '../../helpers/multipart.ts';
import { beginUpload } from '../../helpers/raw-client.ts';
import { filePart, textParts } from '../../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../../helpers/test-server.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Turns of the event loop without a byte after which nothing will move: loopback needs no time. */
const STILL_TURNS = 200;

/**
 * What forwarding costs, in numbers that a busy machine does not change. The bounds have room for what the
 * kernel decides (how it cuts the stream in pieces), none for another buffer or another stream on the way.
 */
describe('what an upload costs', () => {
  let leadway: Leadway;
  let testServer: TestServer;

  before(async () => {
    leadway = await createLeadway();
    testServer = await createTestServer({
      env: { LEADWAY_BASE_URL: leadway.url, FORWARD_MAX_BYTES: String(64 * MIB), LOG_LEVEL: 'info' },
    });
  });
  after(async () => {
    await testServer[Symbol.asyncDispose]();
    await leadway[Symbol.asyncDispose]();
  });

  it('forwards a large file as it lies in memory: no copy, few writes, two streams', async () => {
    const fileBytes = 16 * MIB;
    using meter = await measure(fileBytes);
    assert(meter.passedBytes <= 2.1 * fileBytes, `bytes pass ${meter.passedBytes / fileBytes} streams`);
    assert(meter.copiedBytes <= 384 * KIB, `${meter.copiedBytes} bytes are copied`);
    assert(meter.mostHeldBytes <= MIB, `${meter.mostHeldBytes} bytes are held`);
    const { upstreamWrites, bodyChunks } = meter;
    assert(upstreamWrites <= 0.75 * bodyChunks, `${upstreamWrites} writes for ${bodyChunks} chunks`);
  });

  it('sends a small file in one piece, copied once', async () => {
    const fileBytes = 200 * KIB;
    using meter = await measure(fileBytes);
    assert(meter.passedBytes <= 2.1 * fileBytes, `bytes pass ${meter.passedBytes / fileBytes} streams`);
    assert(meter.copiedBytes <= 1.1 * fileBytes, `${meter.copiedBytes} bytes are copied`);
    assert(meter.upstreamWrites <= 2, `${meter.upstreamWrites} writes`);
  });

  it('takes no more from a client than it can pass on, however large the file', async () => {
    const fileBytes = 32 * MIB;
    leadway.hold();
    using meter = await measure(fileBytes, async (running) => {
      await untilStill(() => running.takenBytes);
      assert(running.takenBytes < fileBytes, 'the client could send all of it');
      leadway.release();
    });
    assert(meter.mostHeldBytes <= MIB, `${meter.mostHeldBytes} bytes are held`);
  });

  /** Uploads a file of `fileBytes`; what `meanwhile` waits for comes before the response is waited for. */
  async function measure(
    fileBytes: number,
    meanwhile: (meter: ByteMeter) => Promise<void> = async () => {},
  ): Promise<ByteMeter> {
    const form = encodeForm([
      ...textParts(testServer.fields),
      filePart('clip.mp4', mp4(fileBytes), 'video/mp4'),
    ]);
    const meter = new ByteMeter({ testServer: Number(new URL(testServer.url).port), upstream: leadway.port });
    using client = await beginUpload(testServer, form.length);
    void client.send(form);
    await meanwhile(meter);
    const { status, text } = await client.response();
    assert.equal(status, 200, text);
    assert(leadway.lastBodyBytes >= fileBytes);
    return meter;
  }
});

/** An upstream that does nothing with bytes but read them, and that can be told not to. */
interface Leadway extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly lastBodyBytes: number;
  /** Reads nothing of what comes from now on. */
  hold(): void;
  release(): void;
}

async function createLeadway(): Promise<Leadway> {
  let gate = Promise.resolve();
  let open = (): void => {};
  let bodyBytes = 0;
  const server: Server = createServer(async (req, res) => {
    await gate;
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    req.once('end', () => {
      bodyBytes = bytes;
      const body = JSON.stringify({ uploadedFiles: { 'clip.mp4': 'https://files.example/clip.mp4' } });
      res.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    get lastBodyBytes() {
      return bodyBytes;
    },
    hold() {
      ({ promise: gate, resolve: open } = Promise.withResolvers<void>());
    },
    release: () => open(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Resolves when `read` has given the same number for many turns of the event loop. */
async function untilStill(read: () => number): Promise<void> {
  let last = -1;
  for (let turns = 0; turns < STILL_TURNS; turns += 1) {
    const now = read();
    if (now !== last) turns = 0;
    last = now;
    await nextTurn();
  }
}

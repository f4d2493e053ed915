import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const STORED = JSON.stringify({ uploadedFiles: { 'a.png': 'https://storage.example/a.png' } });
const OK = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${STORED.length}\r\n\r\n${STORED}`;
const BAD_TOKEN = '{"statusCode":401,"message":"Invalid JWT"}';
const UNAUTHORIZED = `HTTP/1.1 401 Unauthorized\r\nContent-Length: ${BAD_TOKEN.length}\r\n\r\n${BAD_TOKEN}`;

/** Reacts to the first bytes of a request on a connection that has served one before. */
type OnReuse = (socket: Socket) => void;

interface Upstream extends AsyncDisposable {
  readonly url: string;
  /** Connections accepted, and requests that came whole: the connection of each and its text. */
  readonly connections: Socket[];
  readonly requests: { readonly connection: number; readonly text: string }[];
  onReuse: OnReuse;
  /** What whole requests get, in turn; the last one again and again. */
  responses: string[];
}

/** An upstream made of bytes: it keeps connections open, and does to reused ones what the test says. */
async function createUpstream(): Promise<Upstream> {
  const upstream: Omit<Upstream, 'url' | typeof Symbol.asyncDispose> = {
    connections: [],
    requests: [],
    onReuse: () => {},
    responses: [OK],
  };
  const server = createServer((socket) => {
    const connection = upstream.connections.push(socket) - 1;
    let text = '';
    let served = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (served > 0) return upstream.onReuse(socket);
      text += chunk.toString('latin1');
      const headEnd = text.indexOf('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      const isWhole =
        length === undefined
          ? text.endsWith('\r\n0\r\n\r\n')
          : headEnd !== -1 && text.length === headEnd + 4 + Number(length);
      if (!isWhole) return;
      served += 1;
      upstream.requests.push({ connection, text });
      const { responses } = upstream;
      socket.write((responses.length > 1 ? responses.shift() : responses[0]) ?? '');
      text = '';
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(upstream, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of upstream.connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

describe('an upload on a connection that Leadway is closing', () => {
  let upstream: Upstream;
  let testServer: TestServer;
  beforeEach(async () => {
    upstream = await createUpstream();
    testServer = await createTestServer({
      env: { LEADWAY_BASE_URL: upstream.url, LEADWAY_TOKEN: 'pit-test-one,pit-test-two' },
    });
  });
  afterEach(async () => {
    await testServer[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  const png = fixture('picture.png');
  const send = (content = png, name = 'a.png') =>
    sendUpload(testServer, [...textParts(testServer.fields), filePart(name, content)]);

  const closings: Readonly<Record<string, OnReuse>> = {
    'ends it': (socket) => socket.destroySoon(),
    'closes it with bytes unread': (socket) => socket.destroy(),
    'resets it': (socket) => socket.resetAndDestroy(),
  };
  for (const [what, onReuse] of Object.entries(closings)) {
    for (const bytes of [png.length, 200_000]) {
      it(`is sent once more when Leadway ${what} (${bytes} bytes)`, async () => {
        upstream.onReuse = onReuse;
        const [content, name] = bytes === png.length ? [png, 'a.png'] : [mp4(bytes), 'a.mp4'];
        assert.equal((await send(content, name)).status, 200);
        const response = await send(content, name);
        assert.equal(response.status, 200, response.text);
        assert.deepEqual(
          upstream.requests.map(({ connection }) => connection),
          [0, 1],
        );
        assert(upstream.requests[1]?.text.includes(content.toString('latin1')), 'the same bytes');
      });
    }
  }

  it('goes out on a fresh connection, whatever else is idle in the pool', async () => {
    upstream.onReuse = (socket) => socket.resetAndDestroy();
    await Promise.all([send(), send(), send()]);
    const before = upstream.connections.length;
    assert.equal((await send()).status, 200);
    assert.equal(upstream.requests.at(-1)?.connection, before);
  });

  it('counts as a separate call against the quota of the location', async () => {
    upstream.onReuse = (socket) => socket.resetAndDestroy();
    upstream.responses = [
      OK.replace('\r\n', '\r\nX-RateLimit-Max: 2\r\nX-RateLimit-Remaining: 1\r\n').replace(
        '\r\nX-RateLimit-Max',
        '\r\nX-RateLimit-Interval-Milliseconds: 60000\r\nX-RateLimit-Max',
      ),
    ];
    assert.equal((await send()).status, 200);
    const response = await send();
    assert.equal(response.status, 503);
    assert.equal(response.body.code, 'UPSTREAM_BUDGET');
  });

  it('is sent once more after a 401 too, when the connection was kept for that', async () => {
    upstream.onReuse = (socket) => socket.resetAndDestroy();
    upstream.responses = [UNAUTHORIZED, OK];
    const response = await send();
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(
      upstream.requests.map(({ connection, text }) => [connection, /Bearer (\S+)/.exec(text)?.[1]]),
      [
        [0, 'pit-test-one'],
        [1, 'pit-test-two'],
      ],
    );
  });

  const partialResponses: Readonly<Record<string, OnReuse>> = {
    'a byte of a response': (socket) => socket.end('H'),
    'an interim response': (socket) => socket.end('HTTP/1.1 102 Processing\r\n\r\n'),
    'half a response': (socket) => socket.end(OK.slice(0, -5)),
  };
  for (const [what, onReuse] of Object.entries(partialResponses)) {
    it(`is not sent again when ${what} came`, async () => {
      upstream.onReuse = onReuse;
      assert.equal((await send()).status, 200);
      const response = await send();
      assert.equal(response.status, 502, response.text);
      assert.equal(response.body.code, 'UPSTREAM_ABORTED');
      assert.equal(upstream.connections.length, 1);
    });
  }

  it('is not sent again when it was streamed', async () => {
    upstream.onReuse = (socket) => socket.resetAndDestroy();
    assert.equal((await send(mp4(600_000), 'a.mp4')).status, 200);
    const response = await send(mp4(600_000), 'a.mp4');
    assert.equal(response.body.code, 'UPSTREAM_ABORTED');
    assert.equal(upstream.connections.length, 1);
  });

  it('is not sent again when a fresh connection breaks', async () => {
    upstream.responses = [''];
    const response = send();
    while (upstream.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    upstream.connections[0]?.resetAndDestroy();
    assert.equal((await response).body.code, 'UPSTREAM_ABORTED');
    assert.equal(upstream.connections.length, 1);
  });
});

describe('an upload that times out on a reused connection', () => {
  it('is not sent again', async () => {
    await using upstream = await createUpstream();
    await using testServer = await createTestServer({
      env: { LEADWAY_BASE_URL: upstream.url, UPSTREAM_TIMEOUT_MS: '1000' },
    });
    const form = [...textParts(testServer.fields), filePart('a.png', fixture('picture.png'))];
    assert.equal((await sendUpload(testServer, form)).status, 200);
    const response = await sendUpload(testServer, form);
    assert.equal(response.body.code, 'UPSTREAM_TIMEOUT');
    assert.equal(upstream.connections.length, 1);
  });
});

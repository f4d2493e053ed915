import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { type MeasuredServer, type Measurement, startMeasuredServer } from '../helpers/measured-server.ts';
import { encodeForm, FORM_TYPE, fixture } from '../helpers/multipart.ts';
import { filePart, textParts } from '../helpers/send-upload.ts';

const CONNECT = 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n';
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

describe('many requests on one connection whose client disconnects', () => {
  let sandbox: Sandbox;
  let server: MeasuredServer;
  let baseline: Measurement;

  before(async () => {
    sandbox = await createSandbox({ fault: 'never-answers' });
    server = await startMeasuredServer(sandbox, { MAX_CONCURRENT_UPLOADS_PER_CALLER: '8' });
    // What the first requests load stays.
    using socket = new Connection(server.url);
    await socket.send(
      get('/api/openapi.json') + get('/api/docs/swagger-ui-bundle.js') + upload() + initiate(),
    );
    await sandbox.waitFor((requests) => requests.length === 2);
    socket.leave();
    await settled(({ connections }) => connections === 0);
    baseline = await server.measure();
  });
  beforeEach(() => sandbox.reset());
  after(async () => {
    assert.equal(await server.stop(), 0, 'SIGTERM of an idle server');
    await sandbox.close();
  });

  function upload(): string {
    const form = encodeForm([
      ...textParts({ conversationId: sandbox.conversationId, contactId: sandbox.contactId }),
      filePart('a.png', fixture('picture.png')),
    ]).toString('latin1');
    return `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${form.length}\r\n\r\n${form}`;
  }

  function initiate(): string {
    const { conversationId } = sandbox;
    const body = JSON.stringify({
      conversationId,
      filename: 'a.png',
      contentType: 'image/png',
      fileSize: 1000,
    });
    return `POST /api/messages/upload/initiate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  }

  async function settled(condition: (now: Measurement) => boolean): Promise<void> {
    while (!condition(await server.measure())) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  const attacks = {
    'uploads behind initiates, before a CONNECT': {
      bytes: () => initiate().repeat(2) + upload().repeat(8) + CONNECT,
      isInFlight: ({ slots }: Measurement) => slots > 0,
    },
    'more uploads than are handled at a time': {
      bytes: () => upload().repeat(60),
      isInFlight: ({ slots }: Measurement) => slots === 8,
    },
    'uploads behind responses that nobody reads': {
      bytes: () => get('/api/docs/swagger-ui-bundle.js').repeat(3) + upload().repeat(8),
      isInFlight: ({ inFlight }: Measurement) => inFlight > 0,
    },
    'files that nobody reads': {
      bytes: () => get('/api/docs/swagger-ui-bundle.js').repeat(1_100),
      isInFlight: () => true,
    },
    'documents that nobody reads': {
      bytes: () => get('/api/openapi.json').repeat(1_450),
      isInFlight: () => true,
    },
  };
  for (const [name, { bytes, isInFlight }] of Object.entries(attacks)) {
    it(`leave nothing behind: ${name}`, async () => {
      for (let round = 0; round < 2; round += 1) {
        const sockets = Array.from({ length: 6 }, () => new Connection(server.url));
        await Promise.all(sockets.map((socket) => socket.send(bytes())));
        await settled(isInFlight);
        for (const socket of sockets) socket.leave();
        await server.assertAtBaseline(baseline);
      }
    }).timeout(60_000);
  }

  it('take no more than some megabytes while they are not read', async () => {
    const sockets = Array.from({ length: 6 }, () => new Connection(server.url));
    for (const socket of sockets) await socket.send(get('/api/openapi.json').repeat(1_450));
    await settled(({ connections }) => connections === 6);
    const { liveBytes } = await server.measure();
    for (const socket of sockets) socket.leave();
    assert(liveBytes - baseline.liveBytes < 64 * 1024 * 1024, `${liveBytes - baseline.liveBytes} bytes`);
    await server.assertAtBaseline(baseline);
  });

  it('do not keep others of the same address from uploading', async () => {
    using attacker = new Connection(server.url);
    await attacker.send(initiate().repeat(2) + upload().repeat(8) + CONNECT);
    await settled(({ slots }) => slots > 0);
    attacker.leave();
    await settled(({ slots }) => slots === 0);
    sandbox.fault = null;
    using socket = new Connection(server.url);
    await socket.send(upload());
    await sandbox.waitFor((requests) => requests.some(({ status }) => status === 200));
    socket.leave();
    await server.assertAtBaseline(baseline);
  });
});

/** A connection that reads nothing. */
class Connection implements Disposable {
  readonly #socket: Socket;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port) });
    this.#socket.on('error', () => {});
  }

  async send(bytes: string): Promise<void> {
    if (this.#socket.connecting) await once(this.#socket, 'connect');
    this.#socket.write(Buffer.from(bytes, 'latin1'));
  }

  leave(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.leave();
  }
}

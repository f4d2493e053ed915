import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Sandbox } from '../../sandbox/index.ts';
import { BOUNDARY, encodeForm, FORM_TYPE, fixture, mp4 } from './multipart.ts';
import { createRandom } from './random.ts';
import { filePart, textParts } from './send-upload.ts';

/** A request of a pipeline, with the statuses that its response may have. */
interface PlannedRequest {
  readonly id: string;
  readonly bytes: Buffer;
  readonly statuses: readonly number[];
  /** What a success must hold, so that it can't be the response to another request. */
  readonly proof?: string;
  readonly hasNoBody?: boolean;
}

/** What a client does with its connection once it has begun to send. */
const MANNERS = ['reads', 'reads', 'reads', 'trickles', 'half-closes', 'cuts', 'never reads'] as const;

/** What came out of some time of chaos. */
export interface ChaosResult {
  readonly connections: number;
  readonly requests: number;
  readonly responses: number;
}

/**
 * Sends pipelines of good, bad and broken requests over `clients` connections at a time, all drawn from `seed`, and
 * checks that every response belongs to the request whose turn it was.
 */
export async function runChaos(
  url: string,
  sandbox: Sandbox,
  { seed, forMs, clients = 12 }: { readonly seed: number; readonly forMs: number; readonly clients?: number },
): Promise<ChaosResult> {
  const random = createRandom(seed);
  const draw = (bound: number): number => Math.floor(random() * bound);
  const pick = <T>(list: readonly T[]): T => list[draw(list.length)] as T;
  const plan = createPlanner(sandbox, draw, pick);
  const result = { connections: 0, requests: 0, responses: 0 };
  const deadline = performance.now() + forMs;

  const oneConnection = async (): Promise<void> => {
    const requests = Array.from({ length: 1 + draw(pick([3, 12, 40])) }, plan);
    const manner = pick(MANNERS);
    const tail = pick(['', '', '', CONNECT, UPGRADE, 'garbage\r\n\r\n']);
    const bytes = Buffer.concat([...requests.map((request) => request.bytes), Buffer.from(tail)]);
    const whole = manner === 'cuts' ? bytes.subarray(0, draw(bytes.length)) : bytes;
    result.connections += 1;
    result.requests += requests.length;
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
    socket.on('error', () => {});
    await once(socket, 'connect');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const chunks: Buffer[] = [];
    if (manner !== 'never reads') socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.end());
    await send(socket, whole, manner === 'trickles' ? () => 1 + draw(3_000) : () => whole.length);
    if (manner === 'half-closes') socket.end();
    if (manner === 'cuts' || manner === 'never reads') {
      await pause(draw(200));
      socket.destroy();
    }
    const idle = setInterval(() => {
      if (countResponses(Buffer.concat(chunks), requests) >= requests.length) socket.destroy();
    }, 20);
    const late = setTimeout(() => socket.destroy(), 8_000);
    await closed;
    clearInterval(idle);
    clearTimeout(late);
    result.responses += checkResponses(Buffer.concat(chunks), requests, `seed ${seed}, ${manner}`);
  };
  const keepGoing = async (): Promise<void> => {
    while (performance.now() < deadline) await oneConnection();
  };
  await Promise.all(Array.from({ length: clients }, keepGoing));
  return result;
}

const EMPTY = Buffer.alloc(0);
const CONNECT = 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n';
const UPGRADE =
  'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
/** A request may always be told that there is no room or time for it. */
const ALWAYS = [408, 429, 503];

function createPlanner(
  { conversationId, contactId }: Sandbox,
  draw: (bound: number) => number,
  pick: <T>(list: readonly T[]) => T,
): () => PlannedRequest {
  let count = 0;
  const film = mp4(400_000);
  const picture = fixture('picture.png');
  const fields = textParts({ conversationId, contactId });
  const request = (line: string, id: string, headers: readonly string[], body: Buffer = EMPTY): Buffer => {
    const length = body.length > 0 ? [`Content-Length: ${body.length}`] : [];
    const head = [`${line} HTTP/1.1`, 'Host: localhost', `X-Request-Id: ${id}`, ...headers, ...length];
    return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
  };
  const upload = (id: string, name: string, content: Buffer, headers: readonly string[] = []): Buffer =>
    request(
      'POST /api/messages/upload',
      id,
      [`Content-Type: ${FORM_TYPE}`, ...headers],
      encodeForm([...fields, filePart(name, content)]),
    );
  const initiate = (id: string, body: string): Buffer =>
    request('POST /api/messages/upload/initiate', id, ['Content-Type: application/json'], Buffer.from(body));
  const kinds: ((id: string) => Omit<PlannedRequest, 'id'>)[] = [
    (id) => ({ bytes: request('GET /healthz', id, []), statuses: [200] }),
    (id) => ({ bytes: request('HEAD /api/config', id, []), statuses: [200], hasNoBody: true }),
    (id) => ({ bytes: request('GET /api/openapi.json', id, []), statuses: [200] }),
    (id) => ({ bytes: request('GET /api/docs/swagger-ui-bundle.js', id, []), statuses: [200] }),
    (id) => ({ bytes: request(`GET /api/nothing/${id}`, id, []), statuses: [404], proof: id }),
    (id) => ({ bytes: upload(id, `${id}.png`, picture), statuses: [200, 502], proof: id }),
    (id) => ({ bytes: upload(id, `${id}.mp4`, film), statuses: [200, 502], proof: id }),
    (id) => ({
      bytes: upload(id, `${id}.png`, picture, ['Expect: 100-continue']),
      statuses: [200, 502],
      proof: id,
    }),
    (id) => ({ bytes: upload(id, `${id}.pdf`, film), statuses: [415], proof: id }),
    (id) => ({ bytes: upload(id, `${id}.exe`, picture), statuses: [415], proof: id }),
    (id) => ({
      bytes: initiate(id, JSON.stringify({ conversationId, filename: `${id}.png`, fileSize: 9 })),
      statuses: [200, 502],
      proof: id,
    }),
    (id) => ({ bytes: initiate(id, '{"broken'), statuses: [400], proof: id }),
    (id) => ({
      bytes: request(
        'POST /api/messages/upload',
        id,
        [`Content-Type: ${FORM_TYPE}`],
        Buffer.from(`--${BOUNDARY}\r\nnonsense\r\n\r\n`),
      ),
      statuses: [400],
      proof: id,
    }),
    (id) => ({
      bytes: request(
        'POST /api/messages/upload',
        id,
        ['Content-Type: text/plain'],
        Buffer.alloc(draw(100_000)),
      ),
      statuses: [415],
      proof: id,
    }),
  ];
  return () => {
    count += 1;
    const id = `chaos-${count}`;
    return { id, ...pick(kinds)(id) };
  };
}

/** Sends `bytes` in pieces, as long as the connection is there. */
async function send(socket: Socket, bytes: Buffer, nextLength: () => number): Promise<void> {
  for (let at = 0; at < bytes.length && socket.writable; ) {
    const piece = bytes.subarray(at, at + nextLength());
    at += piece.length;
    if (!socket.write(piece))
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {});
  }
}

interface ParsedResponse {
  readonly status: number;
  readonly id: string | undefined;
  readonly body: string;
  readonly isLast: boolean;
}

function countResponses(received: Buffer, requests: readonly PlannedRequest[]): number {
  return [...parseResponses(received, requests)].length;
}

/** Reads responses in the order of their requests; what is cut short at the end is left out. */
function* parseResponses(received: Buffer, requests: readonly PlannedRequest[]): Generator<ParsedResponse> {
  let rest = received;
  for (let at = 0; ; ) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = rest.toString('latin1', 0, end);
    assert.match(head, /^HTTP\/1\.1 \d{3} /, 'the bytes of one response are in another');
    const status = Number(head.slice(9, 12));
    rest = rest.subarray(end + 4);
    if (status < 200) continue;
    const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim();
    const length = requests[at]?.hasNoBody || status === 204 ? 0 : Number(header('content-length') ?? 0);
    if (rest.length < length) return;
    const body = rest.toString('utf8', 0, length);
    rest = rest.subarray(length);
    at += 1;
    yield { status, id: header('x-request-id'), body, isLast: header('connection') === 'close' };
  }
}

/** Checks that each response is that of the request whose turn it is; returns how many there were. */
function checkResponses(received: Buffer, requests: readonly PlannedRequest[], context: string): number {
  let count = 0;
  let isOver = false;
  for (const { status, id, body, isLast } of parseResponses(received, requests)) {
    assert(!isOver, `${context}: a response after the last one of its connection`);
    isOver = isLast;
    const request = requests[count];
    if (request === undefined) break; // the response to the CONNECT, the upgrade or the garbage at the end
    if (id !== request.id) {
      assert.equal(status, 400, `${context}: ${id} has the place of ${request.id}`); // the connection was cut in a request
      break;
    }
    count += 1;
    assert([...request.statuses, ...ALWAYS].includes(status), `${context}: ${id} got ${status} ${body}`);
    if (request.proof !== undefined) assert(body.includes(request.proof), `${context}: ${id} got ${body}`);
  }
  return count;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

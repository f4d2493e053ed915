// The load generator, a separate process. It has to be much cheaper than what it measures: bare sockets, and bytes
// that were made before.
import process from 'node:process';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { assertOk, Client } from './client.ts';
import { createContent, createForm, createHead, createRequest, FORM_TYPE, type RequestKind } from './form.ts';
import { systemNowMs } from './machine.ts';

/** Which requests to send, and where. */
export interface RequestOptions {
  readonly kind: RequestKind;
  readonly port: number;
  readonly path: string;
  /** Size of the file. */
  readonly fileBytes: number;
  /** Number of connections, each with one request in flight at a time. */
  readonly concurrency: number;
}

/** Uploads that send 300 KiB at once and then go on slowly, until the load beside them is over. */
export interface SlowUploads {
  readonly count: number;
  /** Of each. */
  readonly bytesPerSecond: number;
}

/** Sends one request after the other on each connection, as fast as the target responds or at a rate. */
export interface RepeatCommand extends RequestOptions {
  readonly command: 'repeat';
  readonly until: { readonly seconds: number } | { readonly requests: number };
  /** Requests per second on all connections together. */
  readonly perSecond?: number;
  readonly slow?: SlowUploads;
}

/** Sends one upload on each connection, at a number of bytes per second each. */
export interface PaceCommand extends RequestOptions {
  readonly command: 'pace';
  readonly bytesPerSecond: number;
}

/** Sends one video called `.pdf` as fast as the target reads, until the response or the end. */
export interface RejectionCommand {
  readonly command: 'rejection';
  readonly port: number;
  readonly path: string;
  readonly fileBytes: number;
}

/** Times are from the first byte sent to the last byte of the response. */
export interface RepeatResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The first response that was not 200, which ends the load. */
  readonly failure: string | null;
}

/** Times by the clock that all processes of the machine share. */
export interface PaceResult {
  /** When the last byte of the last upload was handed to the kernel. */
  readonly lastByteAtMs: number;
  readonly respondedAtMs: number;
  readonly failure: string | null;
}

/** The response to a file of the wrong type. */
export interface RejectionResult {
  readonly status: number;
  /** From the first bytes, which include the leading bytes of the file, to the response. */
  readonly responseMs: number;
  /** Set where the connection was reset before the response was read. */
  readonly failure: string | null;
}

/** Fine enough to look even, coarse enough to cost nothing. */
const TICK_MS = 4;
const SLOW_TICK_MS = 10;
/** Each slow upload writes in every tenth tick, as mobile networks deliver in bursts. */
const SLOW_TICKS = 10;
const SLOW_FILE_BYTES = 50_000_000;
/** More than our server holds, so that slow uploads are streamed on. */
const SLOW_BURST_BYTES = 300 * 1024;
/** Until the target has passed on what came at once. */
const SETTLE_MS = 1_000;
const PIECE_BYTES = 64 * 1024;

process.on('message', (command: RepeatCommand | PaceCommand | RejectionCommand) => {
  run(command).then(
    (result) => process.send?.(result),
    (error) => process.send?.({ failure: String(error) }),
  );
});
process.once('disconnect', () => process.exit());

function run(command: RepeatCommand | PaceCommand | RejectionCommand): Promise<object> {
  switch (command.command) {
    case 'repeat':
      return repeat(command);
    case 'pace':
      return pace(command);
    case 'rejection':
      return sendWrongType(command);
  }
}

function connectAll(count: number, port: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => Client.connect(port)));
}

async function repeat(command: RepeatCommand): Promise<RepeatResult> {
  const { until, port, path, perSecond, slow } = command;
  using _slow = slow === undefined ? null : await startSlow(slow, port, path);
  const { head, body } = createRequest(command.kind, port, path, command.fileBytes);
  const times: number[] = [];
  let failure: string | null = null;
  let left = 'requests' in until ? until.requests : Number.POSITIVE_INFINITY;
  const clients = await connectAll(command.concurrency, port);
  const startedAt = performance.now();
  const endsAt = 'seconds' in until ? startedAt + until.seconds * 1000 : Number.POSITIVE_INFINITY;
  let dueAt = startedAt;
  const untilDue = async (): Promise<void> => {
    if (perSecond === undefined) return;
    const waitMs = dueAt - performance.now();
    dueAt += 1000 / perSecond;
    if (waitMs > 0) await sleep(waitMs);
  };
  // What has begun is finished, so that its cost and its bytes are both counted.
  const mayBegin = (): boolean => failure === null && left-- > 0 && performance.now() < endsAt;
  await Promise.all(
    clients.map(async (one) => {
      using client = one;
      try {
        while (mayBegin()) {
          await untilDue();
          const begunAt = performance.now();
          assertOk(await client.send(head, body));
          times.push(performance.now() - begunAt);
        }
      } catch (error) {
        failure ??= String(error);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  times.sort((a, b) => a - b);
  const quantile = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return { requests: times.length, seconds, p50Ms: quantile(0.5), p99Ms: quantile(0.99), failure };
}

async function startSlow(
  { count, bytesPerSecond }: SlowUploads,
  port: number,
  path: string,
): Promise<Disposable> {
  const form = createForm(createContent(SLOW_BURST_BYTES), 'clip.mp4', 'video/mp4');
  const start = form.subarray(0, -100); // without its end
  const head = createHead(port, path, FORM_TYPE, SLOW_FILE_BYTES);
  const piece = createContent(Math.ceil((bytesPerSecond * SLOW_TICK_MS * SLOW_TICKS) / 1000));
  const clients = await connectAll(count, port);
  for (const client of clients) {
    client.response().catch(() => {});
    await client.write(Buffer.concat([head, start]));
  }
  await sleep(SETTLE_MS);
  let tick = 0;
  const timer = setInterval(() => {
    tick += 1;
    for (let index = tick % SLOW_TICKS; index < clients.length; index += SLOW_TICKS) {
      if (clients[index]?.isWritable) void clients[index]?.write(piece);
    }
  }, SLOW_TICK_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      for (const client of clients) client[Symbol.dispose]();
    },
  };
}

async function pace(command: PaceCommand): Promise<PaceResult> {
  const { kind, port, path, fileBytes, concurrency, bytesPerSecond } = command;
  const { head, body } = createRequest(kind, port, path, fileBytes);
  const request = Buffer.concat([head, body]);
  let lastByteAtMs = 0;
  let respondedAtMs = 0;
  let failure: string | null = null;
  const sendOne = async (): Promise<void> => {
    using client = await Client.connect(port);
    const response = client.response().then((received) => {
      respondedAtMs = systemNowMs();
      return received;
    });
    const sent = sendPaced(client, request, bytesPerSecond);
    assertOk(await response);
    lastByteAtMs = Math.max(lastByteAtMs, await sent);
  };
  await Promise.all(
    Array.from({ length: concurrency }, () =>
      sendOne().catch((error) => {
        failure ??= String(error);
      }),
    ),
  );
  return { lastByteAtMs, respondedAtMs, failure };
}

/** Resolves to the time at which the last bytes were handed to the kernel. */
function sendPaced(client: Client, bytes: Buffer, bytesPerSecond: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const startedAt = systemNowMs();
  let sent = 0;
  const timer = setInterval(() => {
    if (!client.isWritable) return;
    const now = systemNowMs();
    const due = Math.min(bytes.length, Math.ceil(((now - startedAt) / 1000) * bytesPerSecond));
    if (due === sent) return;
    void client.write(bytes.subarray(sent, due));
    sent = due;
    if (sent < bytes.length) return;
    clearInterval(timer);
    resolve(now);
  }, TICK_MS);
  void client.closed.then(() => {
    clearInterval(timer);
    resolve(Number.NaN);
  });
  return promise;
}

async function sendWrongType({ port, path, fileBytes }: RejectionCommand): Promise<RejectionResult> {
  const form = createForm(createContent(fileBytes), 'clip.pdf', 'application/pdf');
  const request = Buffer.concat([createHead(port, path, FORM_TYPE, form.length), form]);
  using client = await Client.connect(port);
  const startedAt = performance.now();
  let isResponded = false;
  const response = client.response().then(
    ({ status }) => ({ status, responseMs: performance.now() - startedAt, failure: null }),
    (error) => ({ status: 0, responseMs: Number.NaN, failure: String(error) }),
  );
  void response.then(() => {
    isResponded = true;
  });
  for (let sent = 0; sent < request.length && !isResponded; sent += PIECE_BYTES) {
    await Promise.race([client.write(request.subarray(sent, sent + PIECE_BYTES)), client.closed]);
    await nextTurn(); // read what has come before writing more
  }
  return response;
}

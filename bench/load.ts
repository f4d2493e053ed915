// The load generator, a process of its own. It must be much cheaper than what it measures: bare sockets, and
// bytes that were made before.
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { createContent, createForm, FORM_TYPE } from './form.ts';
import type { LoadCommand, LoadResult } from './messages.ts';

const forms = new Map<number, Buffer>();

process.on('message', (command: LoadCommand) => {
  void run(command).then((result) => process.send?.(result));
});
process.once('disconnect', () => process.exit());

async function run(command: LoadCommand): Promise<LoadResult> {
  const form = formOf(command.fileBytes);
  const head = Buffer.from(
    `POST ${command.path} HTTP/1.1\r\nHost: 127.0.0.1:${command.port}\r\nAccept: application/json\r\n` +
      `Content-Type: ${FORM_TYPE}\r\nContent-Length: ${form.length}\r\n\r\n`,
  );
  const times: number[] = [];
  let left = command.uploads;
  let failure: string | null = null;
  const takeNext = (): boolean => failure === null && left-- > 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: command.concurrency }, async () => {
      const caller = await Caller.connect(command.port);
      try {
        while (takeNext()) times.push(await caller.upload(head, form));
      } catch (error) {
        failure ??= String(error);
      } finally {
        caller.close();
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  times.sort((a, b) => a - b);
  return { seconds, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), failure };
}

function formOf(fileBytes: number): Buffer {
  const known = forms.get(fileBytes);
  if (known !== undefined) return known;
  const made = createForm(createContent(fileBytes), 'clip.mp4', 'video/mp4');
  forms.clear(); // one size at a time
  forms.set(fileBytes, made);
  return made;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** One keep-alive connection of a caller. */
class Caller {
  readonly #socket: Socket;
  #answer = '';
  #waiting: PromiseWithResolvers<void> | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#onData(text));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the connection was closed')));
  }

  static connect(port: number): Promise<Caller> {
    const { promise, resolve, reject } = Promise.withResolvers<Caller>();
    const socket = connect(port, '127.0.0.1', () => resolve(new Caller(socket)));
    socket.once('error', reject);
    return promise;
  }

  /** Milliseconds until the whole answer was there. */
  async upload(head: Buffer, form: Buffer): Promise<number> {
    this.#answer = '';
    this.#waiting = Promise.withResolvers();
    const startedAt = performance.now();
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(form);
    this.#socket.uncork();
    await this.#waiting.promise;
    return performance.now() - startedAt;
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(text: string): void {
    this.#answer += text;
    const endOfHead = this.#answer.indexOf('\r\n\r\n');
    if (endOfHead === -1) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#answer)?.[1];
    if (length === undefined) this.#waiting?.reject(new Error('an answer without a length'));
    else if (this.#answer.length < endOfHead + 4 + Number(length)) return;
    else if (this.#answer.startsWith('HTTP/1.1 200 ')) this.#waiting?.resolve();
    else this.#waiting?.reject(new Error(this.#answer));
  }
}

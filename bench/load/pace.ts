import { systemNowMs } from '../clock.ts';
import type { PaceCommand, PaceResult } from '../messages.ts';
import { assertOk, Caller } from './caller.ts';
import { requestBytes } from './request-bytes.ts';

/** Fine enough that a pace looks even, coarse enough to cost nothing. */
const TICK_MS = 4;

/** Sends one upload on each connection at a given pace. */
export async function pace(command: PaceCommand): Promise<PaceResult> {
  const { head, body } = requestBytes(command);
  const request = Buffer.concat([head, body]);
  let lastByteAtMs = 0;
  let answeredAtMs = 0;
  let failure: string | null = null;

  const sendOne = async (): Promise<void> => {
    using caller = await Caller.connect(command.port);
    const answer = caller.expectAnswer().then((received) => {
      answeredAtMs = systemNowMs();
      return received;
    });
    const lastAt = sendPaced(caller, request, command.bytesPerSecond).then((at) => {
      lastByteAtMs = Math.max(lastByteAtMs, at);
    });
    assertOk(await answer);
    await lastAt;
  };

  await Promise.all(
    Array.from({ length: command.concurrency }, () =>
      sendOne().catch((error) => {
        failure ??= String(error);
      }),
    ),
  );
  return { lastByteAtMs, answeredAtMs, failure };
}

/** Resolves to the time at which the last bytes were handed to the kernel. */
function sendPaced(caller: Caller, bytes: Buffer, bytesPerSecond: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const startedAt = systemNowMs();
  let sent = 0;
  const timer = setInterval(() => {
    if (!caller.isWritable) return;
    const now = systemNowMs();
    const due = Math.min(bytes.length, Math.ceil(((now - startedAt) / 1000) * bytesPerSecond));
    if (due === sent) return;
    void caller.write(bytes.subarray(sent, due));
    sent = due;
    if (sent < bytes.length) return;
    clearInterval(timer);
    resolve(now);
  }, TICK_MS);
  void caller.closed.then(() => {
    clearInterval(timer);
    resolve(Number.NaN);
  });
  return promise;
}

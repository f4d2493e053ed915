import { setImmediate as nextTurn } from 'node:timers/promises';
import { createContent, createForm, createHead, FORM_TYPE } from '../form.ts';
import type { RefusalCommand, RefusalResult } from '../messages.ts';
import { Caller } from './caller.ts';

const PIECE_BYTES = 64 * 1024;

/** Sends a video called `.pdf` at full speed and goes on until it is cut off or through. */
export async function sendRefused({ port, path, fileBytes }: RefusalCommand): Promise<RefusalResult> {
  const form = createForm(createContent(fileBytes), 'clip.pdf', 'application/pdf');
  const request = Buffer.concat([createHead(port, path, FORM_TYPE, form.length), form]);
  using caller = await Caller.connect(port);
  const startedAt = performance.now();
  let answerMs = Number.NaN;
  let failure: string | null = null;
  let status = 0;
  const answered = caller.expectAnswer().then(
    (answer) => {
      answerMs = performance.now() - startedAt;
      status = answer.status;
    },
    (error) => {
      failure = String(error);
    },
  );
  for (let sent = 0; sent < request.length; sent += PIECE_BYTES) {
    await Promise.race([caller.write(request.subarray(sent, sent + PIECE_BYTES)), caller.closed]);
    await nextTurn(); // what has come is read before more is written
    if (!caller.isWritable) break;
  }
  await answered;
  await caller.closed;
  return { status, answerMs, failure };
}

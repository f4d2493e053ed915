import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createContent, createForm, FORM_TYPE } from './form.ts';
import type { UpstreamReport } from './messages.ts';
import type { Part } from './processes.ts';
import { type RunningTarget, TOKEN } from './targets.ts';

/**
 * Proves that `running` does what is about to be measured: a file of `fileBytes` is answered with 200 and
 * arrives whole, with the token; and where the target checks types, a wrong one is refused with 415 and the
 * upstream gets no complete request.
 */
export async function checkTarget(running: RunningTarget, upstream: Part, fileBytes: number): Promise<void> {
  const { name, hasChecks } = running.target;
  const content = createContent(fileBytes);
  const capturing = await upstream.ask<UpstreamReport>('capture');
  assert.equal(capturing.kind, 'capturing');
  const arrival = upstream.next<UpstreamReport>();
  arrival.catch(() => {}); // the answer is looked at first
  const answer = await post(running, createForm(content, 'clip.mp4', 'video/mp4'));
  assert.equal(answer.status, 200, `${name}: ${await answer.clone().text()}`);
  const body = (await answer.json()) as { uploadedFiles?: unknown };
  assert.ok(body.uploadedFiles, `${name}: no uploadedFiles in the answer`);

  const arrived = await arrival;
  assert(arrived.kind === 'captured', `${name}: nothing arrived`);
  assert.equal(arrived.request.authorization, `Bearer ${TOKEN}`, `${name}: token`);
  assert.equal(arrived.request.fileBytes, fileBytes, `${name}: bytes at the upstream`);
  assert.equal(
    arrived.request.fileSha256,
    createHash('sha256').update(content).digest('hex'),
    `${name}: content at the upstream`,
  );

  const before = await upstream.ask<UpstreamReport>('count');
  assert(before.kind === 'counted' && before.requests === 1, `${name}: one complete request`);
  if (hasChecks) await checkRefusal(running, upstream, content);
}

async function checkRefusal(running: RunningTarget, upstream: Part, content: Buffer): Promise<void> {
  const { name } = running.target;
  const refused = await post(running, createForm(content, 'clip.pdf', 'application/pdf'));
  assert.equal(refused.status, 415, `${name}: a video called clip.pdf`);
  await refused.arrayBuffer();
  const counted = await upstream.ask<UpstreamReport>('count');
  assert(counted.kind === 'counted' && counted.requests === 0, `${name}: a refused upload went upstream`);
}

function post({ port, target }: RunningTarget, form: Buffer): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${target.path}`, {
    method: 'POST',
    headers: { 'Content-Type': FORM_TYPE },
    body: new Uint8Array(form),
  });
}

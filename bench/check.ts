import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type Bench, countUpstream, tellUpstream } from './bench.ts';
import { createContent, createForm, createInitiateBody, FORM_TYPE } from './form.ts';
import type { CapturedRequest, UpstreamReport } from './messages.ts';
import type { RunningTarget } from './running-target.ts';
import { TOKEN } from './targets.ts';

type Surrounding = Pick<Bench, 'upstream'>;

/**
 * Proves that `running` does what is about to be measured: a file of `fileBytes` is answered with 200 and
 * arrives whole, with the token; and where the target checks types, a wrong one is refused with 415 and the
 * upstream gets no complete request.
 */
export async function checkUpload(
  running: RunningTarget,
  { upstream }: Surrounding,
  fileBytes: number,
): Promise<void> {
  const { name, hasChecks, path } = running.target;
  const content = createContent(fileBytes);
  const form = createForm(content, 'clip.mp4', 'video/mp4');
  const { answer, arrived } = await postCaptured(running, { upstream }, path, FORM_TYPE, form);
  assert.ok(answer['uploadedFiles'], `${name}: no uploadedFiles in the answer`);
  assert.equal(arrived.file?.bytes, fileBytes, `${name}: bytes at the upstream`);
  const sha256 = createHash('sha256').update(content).digest('hex');
  assert.equal(arrived.file?.sha256, sha256, `${name}: content at the upstream`);
  if (!hasChecks) return;

  const wrong = createForm(content, 'clip.pdf', 'application/pdf');
  const refused = await post(running, path, FORM_TYPE, wrong);
  assert.equal(refused.status, 415, `${name}: a video called clip.pdf`);
  await refused.arrayBuffer();
  const { requests } = await countUpstream(upstream);
  assert.equal(requests, 0, `${name}: a refused upload went upstream`);
}

/** Proves that `running` asks the upstream for a signed URL, with the token; ours seals a ticket besides. */
export async function checkInitiate(running: RunningTarget, { upstream }: Surrounding): Promise<void> {
  const { name, hasChecks, path } = running.target;
  const body = createInitiateBody(1_000_000);
  const { answer } = await postCaptured(running, { upstream }, `${path}/initiate`, 'application/json', body);
  assert.match(String(answer['uploadUrl']), /^https:/, `${name}: no URL in the answer`);
  assert.equal(typeof answer['ticket'], hasChecks ? 'string' : 'undefined', `${name}: the ticket`);
}

async function postCaptured(
  running: RunningTarget,
  { upstream }: Surrounding,
  path: string,
  contentType: string,
  body: Buffer,
): Promise<{ answer: Readonly<Record<string, unknown>>; arrived: CapturedRequest }> {
  const { name } = running.target;
  await countUpstream(upstream);
  await tellUpstream(upstream, { command: 'capture' });
  const arrival = upstream.next<UpstreamReport>();
  arrival.catch(() => {}); // the answer is looked at first
  const response = await post(running, path, contentType, body);
  assert.equal(response.status, 200, `${name}: ${await response.clone().text()}`);
  const answer = (await response.json()) as Readonly<Record<string, unknown>>;
  const arrived = await arrival;
  assert(arrived.kind === 'captured', `${name}: nothing arrived`);
  assert.equal(arrived.request.authorization, `Bearer ${TOKEN}`, `${name}: token`);
  const { requests } = await countUpstream(upstream);
  assert.equal(requests, 1, `${name}: one complete request`);
  return { answer, arrived: arrived.request };
}

function post({ port }: RunningTarget, path: string, contentType: string, body: Buffer): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': contentType },
    body: new Uint8Array(body),
  });
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createContent, createForm, createInitiateBody, FORM_TYPE } from './form.ts';
import { type Bench, countUpstream } from './runner.ts';
import { type RunningTarget, startTarget, TOKEN } from './targets.ts';
import type { CapturedRequest, UpstreamReport } from './upstream.ts';

type Json = Readonly<Record<string, unknown>>;

/** Checks all targets, with plain HTTP and with TLS to the upstream. @returns a line for each. */
export async function checkAll(bench: Bench): Promise<string[]> {
  const lines: string[] = [];
  for (const upstream of [bench.plain, bench.tls].filter((one) => one !== null)) {
    for (const target of bench.targets) {
      await using running = await startTarget(target, upstream);
      await checkUpload(running, bench, 5_000_000);
      await checkInitiate(running, bench);
      lines.push(`${target.name}, ${upstream === bench.tls ? 'TLS' : 'plain HTTP'}: checked`);
    }
  }
  return lines;
}

/**
 * Proves that a target does what is about to be measured: a file gets a 200 and arrives whole, with the token. Where the
 * target checks types, a wrong one gets a 415 and the upstream no complete request.
 */
export async function checkUpload(
  running: RunningTarget,
  bench: Pick<Bench, 'upstream'>,
  fileBytes: number,
): Promise<void> {
  const { name, hasChecks, path } = running.target;
  const content = createContent(fileBytes);
  const form = createForm(content, 'clip.mp4', 'video/mp4');
  const { response, arrived } = await postCaptured(running, bench, path, FORM_TYPE, form);
  assert.ok(response['uploadedFiles'], `${name}: no uploadedFiles in the response`);
  assert.equal(arrived.file?.bytes, fileBytes, `${name}: bytes at the upstream`);
  const sha256 = createHash('sha256').update(content).digest('hex');
  assert.equal(arrived.file?.sha256, sha256, `${name}: content at the upstream`);
  if (!hasChecks) return;

  const wrong = createForm(content, 'clip.pdf', 'application/pdf');
  const rejected = await post(running, path, FORM_TYPE, wrong);
  assert.equal(rejected.status, 415, `${name}: a video called clip.pdf`);
  await rejected.arrayBuffer();
  const { requests } = await countUpstream(bench);
  assert.equal(requests, 0, `${name}: a rejected upload reached the upstream`);
}

/** Proves that a target gets a signed URL from the upstream, with the token. Our server adds a ticket. */
export async function checkInitiate(running: RunningTarget, bench: Pick<Bench, 'upstream'>): Promise<void> {
  const { name, hasChecks, path } = running.target;
  const body = createInitiateBody(1_000_000);
  const { response } = await postCaptured(running, bench, `${path}/initiate`, 'application/json', body);
  assert.match(String(response['uploadUrl']), /^https:/, `${name}: no URL in the response`);
  assert.equal(typeof response['ticket'], hasChecks ? 'string' : 'undefined', `${name}: the ticket`);
}

async function postCaptured(
  running: RunningTarget,
  bench: Pick<Bench, 'upstream'>,
  path: string,
  contentType: string,
  body: Buffer,
): Promise<{ response: Json; arrived: CapturedRequest }> {
  const { name } = running.target;
  await countUpstream(bench);
  await bench.upstream.ask({ command: 'capture' });
  const arrival = bench.upstream.next<UpstreamReport>();
  arrival.catch(() => {}); // the response is looked at first
  const posted = await post(running, path, contentType, body);
  assert.equal(posted.status, 200, `${name}: ${await posted.clone().text()}`);
  const response = (await posted.json()) as Json;
  const arrived = await arrival;
  assert(arrived.kind === 'captured', `${name}: nothing arrived`);
  assert.equal(arrived.request.authorization, `Bearer ${TOKEN}`, `${name}: token`);
  const { requests } = await countUpstream(bench);
  assert.equal(requests, 1, `${name}: one complete request`);
  return { response, arrived: arrived.request };
}

function post({ port }: RunningTarget, path: string, contentType: string, body: Buffer): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': contentType },
    body: new Uint8Array(body),
  });
}

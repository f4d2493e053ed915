import assert from 'node:assert/strict';
import type { SandboxOptions } from '../../sandbox/index.ts';
import { createHouse, type House, settled } from '../helpers/house.ts';
import { closing, encodeForm, fixture, mp4, partHead } from '../helpers/multipart.ts';
import { beginUpload, type RawCaller } from '../helpers/raw-caller.ts';
import { filePart, sha256, textParts } from '../helpers/send-upload.ts';

/** The pieces of a form with one large film, to be sent one by one. */
function filmForm(house: House, film: Buffer) {
  const fields = encodeForm(textParts(house.fields)).subarray(0, -closing().length);
  const opening = Buffer.concat([fields, partHead(filePart('a.mp4', ''))]);
  const ending = Buffer.concat([Buffer.from('\r\n'), closing()]);
  return { opening, ending, length: opening.length + film.length + ending.length };
}

const film = mp4(2_000_000);

/** Waits until Leadway has at least that much of the body. */
function untilForwarded(house: House, bytes: number): Promise<void> {
  return house.sandbox.waitFor(([sent]) => (sent?.bodyBytes ?? 0) >= bytes);
}

function assertNoFailureInLog(house: House): void {
  for (const entry of house.log.entries)
    assert(Number(entry['level'] === 'error') === 0, JSON.stringify(entry));
}

describe('a forwarded stream', () => {
  let house: House;
  const build = async (env: Record<string, string> = {}, sandbox: SandboxOptions = {}) => {
    house = await createHouse({ env, sandbox });
  };
  afterEach(() => house[Symbol.asyncDispose]());

  async function sendHalf(): Promise<RawCaller> {
    const { opening, length } = filmForm(house, film);
    const caller = await beginUpload(house, length);
    await caller.send(Buffer.concat([opening, film.subarray(0, 1_000_000)]));
    await untilForwarded(house, 800_000);
    return caller;
  }

  it('reaches Leadway while it is still coming, and ends when both have finished', async () => {
    await build();
    using caller = await sendHalf();
    assert.equal(house.sandbox.requests[0]?.complete, false);
    await caller.send(Buffer.concat([film.subarray(1_000_000), filmForm(house, film).ending]));
    const answer = await caller.answer();
    assert.equal(answer.status, 200, answer.text);
    assert.equal(house.sandbox.requests[0]?.files?.[0]?.sha256, sha256(film));
    await house.assertTidy({ completeUploads: 1 });
  });

  it('is cut when the caller leaves in the middle of the file', async () => {
    await build();
    using caller = await sendHalf();
    caller.leave();
    await house.sandbox.waitFor(([sent]) => sent?.aborted === true);
    await house.assertTidy();
    assertNoFailureInLog(house);
  });

  it('is cut when the caller only half-closes in the middle of the file', async () => {
    await build();
    using caller = await sendHalf();
    caller.socket.end();
    await house.sandbox.waitFor(([sent]) => sent?.aborted === true);
    await house.assertTidy();
  });

  it('does not begin when the caller leaves in the middle of a field', async () => {
    await build();
    using caller = await beginUpload(house, 10_000);
    await caller.send('--test-boundary\r\nContent-Disposition: form-data; name="conversationId"\r\n\r\nsand');
    caller.leave();
    await house.assertTidy();
    assert.equal(house.sandbox.requests.length, 0);
    assertNoFailureInLog(house);
  });

  it('does not begin when the caller leaves in the middle of a small file', async () => {
    await build();
    const form = encodeForm([...textParts(house.fields), filePart('a.mp4', mp4(50_000))]);
    using caller = await beginUpload(house, form.length);
    await caller.send(form.subarray(0, 30_000));
    caller.leave();
    await house.assertTidy();
    assert.equal(house.sandbox.requests.length, 0);
  });

  it('is cut when the caller leaves in a field behind the file', async () => {
    await build();
    const { opening } = filmForm(house, film);
    using caller = await beginUpload(house, null);
    const late = '\r\n--test-boundary\r\nContent-Disposition: form-data; name="channel"\r\n\r\nSM';
    const body = Buffer.concat([opening, film, Buffer.from(late)]);
    await caller.send(`${body.length.toString(16)}\r\n`);
    await caller.send(body);
    await untilForwarded(house, film.length);
    caller.leave();
    await house.sandbox.waitFor(([sent]) => sent?.aborted === true);
    await house.assertTidy();
  });

  it('stays committed when the caller leaves after the commit, and frees everything', async () => {
    await build({}, { fault: 'never-answers' });
    const { opening, ending, length } = filmForm(house, film);
    using caller = await beginUpload(house, length);
    await caller.send(Buffer.concat([opening, film, ending]));
    await house.sandbox.waitFor(([sent]) => sent?.complete === true);
    caller.leave();
    await house.sandbox.waitFor(([sent]) => sent?.left === true);
    await house.assertTidy({ completeUploads: 1 });
    assertNoFailureInLog(house);
  });

  it('of a held upload is given up when the caller leaves while Leadway thinks', async () => {
    await build({}, { fault: 'never-answers' });
    const form = encodeForm([...textParts(house.fields), filePart('a.png', fixture('picture.png'))]);
    using caller = await beginUpload(house, form.length);
    await caller.send(form);
    await house.sandbox.waitFor(([sent]) => sent?.complete === true);
    caller.leave();
    await house.sandbox.waitFor(([sent]) => sent?.left === true);
    await house.assertTidy({ completeUploads: 1 });
  });

  it('answers at once when Leadway leaves in the middle of the file, while the caller is still sending', async () => {
    await build({}, { fault: 'reset-mid-upload' });
    const { opening, length } = filmForm(house, film);
    using caller = await beginUpload(house, length);
    await caller.send(Buffer.concat([opening, film.subarray(0, 500_000)]));
    const answer = await caller.answer();
    assert.equal(answer.status, 502, answer.text);
    assert.equal(answer.body.code, 'UPSTREAM_ABORTED');
    assert.equal(answer.body.retryable, true);
    assert.equal(answer.headers['connection'], 'close');
    // The rest of the body is read, then the connection is closed.
    await caller.send(film.subarray(500_000));
    assert.equal(caller.socket.destroyed, false);
    await caller.send(filmForm(house, film).ending);
    await caller.closed;
    await house.assertTidy();
  });

  it('answers 504 when Leadway stops reading, and not before the caller was held back', async () => {
    await build({ UPSTREAM_TIMEOUT_MS: '300', FORWARD_MAX_BYTES: '60000000' }, { fault: 'stops-reading' });
    const long = mp4(40_000_000);
    const { opening, length } = filmForm(house, long);
    using caller = await beginUpload(house, length);
    void caller.send(Buffer.concat([opening, long]));
    const answer = await caller.answer();
    assert.equal(answer.status, 504, answer.text);
    assert.equal(answer.body.code, 'UPSTREAM_TIMEOUT');
    // Leadway, which reads nothing, does not see that the connection was cut.
    assert.equal(house.sandbox.requests[0]?.complete, false);
    await settled(() => house.server.context.slots.taken === 0, 'every upload slot is free');
  });

  it('answers 408 when the caller stops sending, and cuts what Leadway has', async () => {
    await build({ UPLOAD_IDLE_TIMEOUT_MS: '200' });
    using caller = await sendHalf();
    const answer = await caller.answer();
    assert.equal(answer.status, 408, answer.text);
    assert.equal(answer.body.code, 'REQUEST_TIMEOUT');
    await house.sandbox.waitFor(([sent]) => sent?.aborted === true);
    caller.leave();
    await house.assertTidy();
  });
});

import assert from 'node:assert/strict';
import request from 'supertest';
import { initiated, putContent } from '../helpers/direct-steps.ts';
import { createHouse, type House, settled } from '../helpers/house.ts';
import { encodeForm, FORM_TYPE, fixture, mp4 } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { dial } from '../server/http/wire.ts';

/** The line of the request with this id. */
async function lineOf(house: House, requestId: string): Promise<Record<string, unknown>> {
  const find = () =>
    house.log.entries.filter((entry) => entry['requestId'] === requestId && 'status' in entry);
  await settled(() => find().length > 0, `a line for ${requestId}`);
  const lines = find();
  assert.equal(lines.length, 1, 'one line a request');
  return lines[0] ?? {};
}

describe('the access log', () => {
  let house: House;
  before(async () => {
    house = await createHouse();
  });
  after(() => house[Symbol.asyncDispose]());

  const upload = (id: string, name: string, fields = {}, query = '') =>
    sendUpload(
      house,
      [...textParts({ ...house.fields, ...fields }), filePart(name, fixture('picture.png'))],
      { query, headers: { 'X-Request-Id': id } },
    );

  it('has outcome, sizes, times and Leadway’s status of an upload', async () => {
    await upload('fine', 'picture.png', {}, '?mode=forward');
    const size = fixture('picture.png').length;
    const line = await lineOf(house, 'fine');
    const { durationMs, userHash, bytesIn, bytesOut, upstreamMs, time, ip, ...rest } = line;
    assert.deepEqual(rest, {
      level: 'info',
      msg: 'request',
      requestId: 'fine',
      method: 'POST',
      route: '/api/messages/upload',
      status: 200,
      mode: 'forward',
      locationId: house.sandbox.locationId,
      files: 1,
      bytes: size,
      contentType: 'image/png',
      upstreamStatus: 200,
    });
    assert(Number.isInteger(durationMs) && Number.isInteger(upstreamMs));
    assert(Number(bytesIn) > size && Number(bytesOut) > 100);
    assert.equal(ip, '127.0.0.1');
    assert.match(String(userHash), /^[0-9a-f]{12}$/);
    assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('has the code of a refusal', async () => {
    await upload('refused', 'picture.exe');
    const line = await lineOf(house, 'refused');
    assert.equal(line['status'], 415);
    assert.equal(line['code'], 'TYPE_NOT_ALLOWED');
    assert.equal(line['level'], 'info');
    assert.equal('upstreamStatus' in line, false);
  });

  it('has the type that the content looks like when that is not the one of the name', async () => {
    await upload('disguised', 'picture.pdf');
    const line = await lineOf(house, 'disguised');
    assert.deepEqual([line['code'], line['detected']], ['TYPE_MISMATCH', 'image/png']);
    await sendUpload(house, [...textParts(house.fields), filePart('a.pdf', '\0\x01\x02')], {
      headers: { 'X-Request-Id': 'unknown-content' },
    });
    assert.equal((await lineOf(house, 'unknown-content'))['detected'], null);
    await upload('fine-again', 'picture.png');
    assert.equal('detected' in (await lineOf(house, 'fine-again')), false);
  });

  it('warns of what Leadway did wrong, with its status', async () => {
    await upload('upstream', 'picture.png', { conversationId: 'fault-status-503' });
    const line = await lineOf(house, 'upstream');
    assert.equal(line['level'], 'warn');
    assert.equal(line['code'], 'UPSTREAM_ERROR');
    assert.equal(line['upstreamStatus'], 503);
    assert.equal(typeof line['upstreamTraceId'], 'string');
  });

  it('has a stack only where the fault is ours', async () => {
    await upload('theirs', 'picture.png', { conversationId: 'fault-html' });
    const theirs = await lineOf(house, 'theirs');
    assert.equal(theirs['code'], 'UPSTREAM_ERROR');
    assert.equal((theirs['err'] as Record<string, unknown>)['type'], 'AppError');
    assert.doesNotMatch(JSON.stringify(theirs['err']), /"stack"/);

    const { uploads } = house.server.context;
    const { locationsFor } = uploads;
    Object.assign(uploads, {
      locationsFor() {
        throw new TypeError('a mistake of ours');
      },
    });
    try {
      await upload('ours', 'picture.png');
    } finally {
      Object.assign(uploads, { locationsFor });
    }
    const ours = await lineOf(house, 'ours');
    assert.equal(ours['code'], 'INTERNAL');
    const { cause } = ours['err'] as { cause: Record<string, unknown> };
    assert.match(String(cause['stack']), /a mistake of ours\n +at /);
  });

  it('has the page that a request came from, cut where no page has so long an origin', async () => {
    const origin = new URL(house.url).origin;
    await request(house.api).get('/config').set({ Origin: origin, 'X-Request-Id': 'page' });
    assert.equal((await lineOf(house, 'page'))['origin'], origin);
    await request(house.api)
      .get('/config')
      .set({ Origin: `https://${'a'.repeat(2_000)}.example`, 'X-Request-Id': 'long-origin' });
    assert.equal(String((await lineOf(house, 'long-origin'))['origin']).length, 255);
  });

  it('has the location and the type of initiate, complete and relay too', async () => {
    const step = await initiated(house, {}, { 'X-Request-Id': 'initiate' });
    await putContent(house, step, 'hello', { headers: { 'X-Request-Id': 'content' } });
    await request(house.api)
      .post('/messages/upload/complete')
      .set('X-Request-Id', 'complete')
      .send({ ticket: step.ticket })
      .expect(200);
    for (const id of ['initiate', 'content', 'complete']) {
      const line = await lineOf(house, id);
      assert.equal(line['locationId'], house.sandbox.locationId, id);
      assert.equal(line['contentType'], 'text/plain', id);
    }
    const relayed = await lineOf(house, 'content');
    assert.equal(relayed['files'], 1);
    assert.equal(relayed['upstreamStatus'], 200);
    assert(Number.isInteger(relayed['upstreamMs']));
  });

  it('has 499 and the address of a caller who left', async () => {
    using wire = await dial(
      house.url,
      `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: left\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: 1000\r\n\r\n--`,
    );
    await settled(() => house.server.context.slots.taken === 1, 'the upload has begun');
    wire.socket.destroy();
    const line = await lineOf(house, 'left');
    assert.equal(line['status'], 499);
    assert.equal(line['level'], 'info');
    assert.equal(line['ip'], '127.0.0.1');
    assert.match(String(line['msg']), /the caller left/);
  });

  it('has what arrived of a file whose client left', async () => {
    const parts = [...textParts(house.fields), filePart('clip.mp4', mp4(400_000))];
    const head = encodeForm(parts).subarray(0, -100);
    using wire = await dial(
      house.url,
      `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: half\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${head.length + 100}\r\n\r\n`,
    );
    wire.send(head);
    await house.sandbox.waitFor((requests) =>
      requests.some(({ complete, aborted }) => !complete && !aborted),
    );
    wire.socket.destroy();
    const line = await lineOf(house, 'half');
    assert.equal(line['status'], 499);
    assert.equal(line['files'], 1);
    assert(Number(line['bytes']) > 0, 'the bytes of the file that came');
    assert.equal(line['locationId'], house.sandbox.locationId);
  });

  it('counts the bytes of each request on a kept connection', async () => {
    using wire = await dial(house.url);
    const sizes: number[] = [];
    for (const id of ['first', 'second']) {
      const bytes = `GET /api/config HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${id}\r\n\r\n`;
      wire.send(bytes);
      await wire.answer();
      const line = await lineOf(house, id);
      assert.equal(line['bytesIn'], bytes.length);
      sizes.push(Number(line['bytesOut']));
    }
    assert(Math.abs((sizes[0] ?? 0) - (sizes[1] ?? 0)) < 10);
  });

  it('leaves the query out, and probes to who debugs', async () => {
    await request(house.url).get('/healthz?who=anna').set('X-Request-Id', 'probe');
    const line = await lineOf(house, 'probe');
    assert.equal(line['level'], 'debug');
    assert.equal(line['route'], '/healthz');
    assert(!house.log.lines.some((text) => text.includes('anna')));
  });
});

import assert from 'node:assert/strict';
import request from 'supertest';
import { createHouse, type House, settled } from '../helpers/house.ts';
import { FORM_TYPE, fixture } from '../helpers/multipart.ts';
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
    const { ms, bytesIn, bytesOut, upstreamMs, time, ip, ...rest } = line;
    assert.deepEqual(rest, {
      level: 'info',
      msg: 'request',
      requestId: 'fine',
      method: 'POST',
      path: '/api/messages/upload',
      status: 200,
      mode: 'forward',
      files: 1,
      fileBytes: size,
      contentType: 'image/png',
      upstreamStatus: 200,
    });
    assert(Number.isInteger(ms) && Number.isInteger(upstreamMs));
    assert(Number(bytesIn) > size && Number(bytesOut) > 100);
    assert.equal(ip, '127.0.0.1');
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

  it('warns of what Leadway did wrong, with its status', async () => {
    await upload('upstream', 'picture.png', { conversationId: 'fault-status-503' });
    const line = await lineOf(house, 'upstream');
    assert.equal(line['level'], 'warn');
    assert.equal(line['code'], 'UPSTREAM_ERROR');
    assert.equal(line['upstreamStatus'], 503);
    assert(typeof line['upstreamTraceId'] === 'string' || line['upstreamTraceId'] === undefined);
  });

  it('has 499 and the address of a caller who left', async () => {
    using wire = await dial(
      house.url,
      `POST /api/messages/upload HTTP/1.1\r\nHost: test\r\nX-Request-Id: left\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: 1000\r\n\r\n--`,
    );
    await settled(() => house.server.context.slots.taken === 1, 'the upload has begun');
    wire.socket.destroy();
    const line = await lineOf(house, 'left');
    assert.equal(line['status'], 499);
    assert.equal(line['level'], 'info');
    assert.equal(line['ip'], '127.0.0.1');
    assert.match(String(line['msg']), /the caller left/);
  });

  it('counts the bytes of each request on a kept connection', async () => {
    using wire = await dial(house.url);
    const sizes: number[] = [];
    for (const id of ['first', 'second']) {
      const bytes = `GET /api/config HTTP/1.1\r\nHost: test\r\nX-Request-Id: ${id}\r\n\r\n`;
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
    assert.equal(line['path'], '/healthz');
    assert(!house.log.lines.some((text) => text.includes('anna')));
  });
});

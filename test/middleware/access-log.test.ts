import assert from 'node:assert/strict';
import request from 'supertest';
import { complete, initiate, initiated, putContent } from '../helpers/direct-steps.ts';
import { encodeForm, FORM_TYPE, fixture, mp4 } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';
import { dial } from '../server/http/wire.ts';

/** The line of the request with this id. */
async function lineOf(testServer: TestServer, requestId: string): Promise<Record<string, unknown>> {
  const find = () =>
    testServer.log.entries.filter((entry) => entry['requestId'] === requestId && 'status' in entry);
  await settled(() => find().length > 0, `a line for ${requestId}`);
  const lines = find();
  assert.equal(lines.length, 1, 'one line a request');
  return lines[0] ?? {};
}

describe('the access log', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer();
  });
  after(() => testServer[Symbol.asyncDispose]());

  const upload = (id: string, name: string, fields = {}, query = '') =>
    sendUpload(
      testServer,
      [...textParts({ ...testServer.fields, ...fields }), filePart(name, fixture('picture.png'))],
      { query, headers: { 'X-Request-Id': id } },
    );

  it('has outcome, sizes, times and Leadway’s status of an upload', async () => {
    await upload('fine', 'picture.png', {}, '?mode=forward');
    const size = fixture('picture.png').length;
    const line = await lineOf(testServer, 'fine');
    const { durationMs, userHash, bytesIn, bytesOut, upstreamMs, time, ip, ...rest } = line;
    assert.deepEqual(rest, {
      level: 'info',
      msg: 'request',
      requestId: 'fine',
      method: 'POST',
      route: '/api/messages/upload',
      status: 200,
      mode: 'forward',
      locationId: testServer.sandbox.locationId,
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

  it('has the code of a rejection', async () => {
    await upload('rejected', 'picture.exe');
    const line = await lineOf(testServer, 'rejected');
    assert.equal(line['status'], 415);
    assert.equal(line['code'], 'TYPE_NOT_ALLOWED');
    assert.equal(line['level'], 'info');
    assert.equal('upstreamStatus' in line, false);
  });

  it('has the type that the content looks like when that is not the one of the name', async () => {
    await upload('disguised', 'picture.pdf');
    const line = await lineOf(testServer, 'disguised');
    assert.deepEqual([line['code'], line['detected']], ['TYPE_MISMATCH', 'image/png']);
    await sendUpload(testServer, [...textParts(testServer.fields), filePart('a.pdf', '\0\x01\x02')], {
      headers: { 'X-Request-Id': 'unknown-content' },
    });
    assert.equal((await lineOf(testServer, 'unknown-content'))['detected'], null);
    await upload('fine-again', 'picture.png');
    assert.equal('detected' in (await lineOf(testServer, 'fine-again')), false);
  });

  it('warns of what Leadway did wrong, with its status', async () => {
    await upload('upstream', 'picture.png', { conversationId: 'fault-status-503' });
    const line = await lineOf(testServer, 'upstream');
    assert.equal(line['level'], 'warn');
    assert.equal(line['code'], 'UPSTREAM_ERROR');
    assert.equal(line['upstreamStatus'], 503);
    assert.equal(typeof line['upstreamTraceId'], 'string');
  });

  it('has Leadway’s status of a direct upload, and of initiate and complete that fail', async () => {
    await upload('signed', 'picture.png', {}, '?mode=direct');
    const signed = await lineOf(testServer, 'signed');
    assert.deepEqual([signed['status'], signed['mode'], signed['upstreamStatus']], [202, 'direct', 200]);
    assert(Number.isInteger(signed['upstreamMs']));
    await initiate(
      testServer,
      { conversationId: 'fault-initiate-status-422' },
      { 'X-Request-Id': 'unsigned' },
    );
    assert.equal((await lineOf(testServer, 'unsigned'))['upstreamStatus'], 422);
    const { ticket } = await initiated(testServer);
    await complete(testServer, { ticket }, { 'X-Request-Id': 'incomplete' });
    const incomplete = await lineOf(testServer, 'incomplete');
    assert.deepEqual([incomplete['code'], incomplete['mode']], ['NOT_UPLOADED', 'direct']);
    assert([400, 404].includes(Number(incomplete['upstreamStatus'])));
  });

  it('has a stack only where the fault is ours', async () => {
    await upload('theirs', 'picture.png', { conversationId: 'fault-html' });
    const theirs = await lineOf(testServer, 'theirs');
    assert.equal(theirs['code'], 'UPSTREAM_ERROR');
    assert.equal((theirs['err'] as Record<string, unknown>)['type'], 'AppError');
    assert.doesNotMatch(JSON.stringify(theirs['err']), /"stack"/);

    const { uploads } = testServer.server.context;
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
    const ours = await lineOf(testServer, 'ours');
    assert.equal(ours['code'], 'INTERNAL');
    const { cause } = ours['err'] as { cause: Record<string, unknown> };
    assert.match(String(cause['stack']), /a mistake of ours\n +at /);
  });

  it('has the page that a request came from, cut where no page has so long an origin', async () => {
    const origin = new URL(testServer.url).origin;
    await request(testServer.api).get('/config').set({ Origin: origin, 'X-Request-Id': 'page' });
    assert.equal((await lineOf(testServer, 'page'))['origin'], origin);
    await request(testServer.api)
      .get('/config')
      .set({ Origin: `https://${'a'.repeat(2_000)}.example`, 'X-Request-Id': 'long-origin' });
    assert.equal(String((await lineOf(testServer, 'long-origin'))['origin']).length, 255);
  });

  it('has the location and the type of initiate, complete and relay too', async () => {
    const step = await initiated(testServer, {}, { 'X-Request-Id': 'initiate' });
    await putContent(testServer, step, 'hello', { headers: { 'X-Request-Id': 'content' } });
    await request(testServer.api)
      .post('/messages/upload/complete')
      .set('X-Request-Id', 'complete')
      .send({ ticket: step.ticket })
      .expect(200);
    for (const id of ['initiate', 'content', 'complete']) {
      const line = await lineOf(testServer, id);
      assert.equal(line['locationId'], testServer.sandbox.locationId, id);
      assert.equal(line['contentType'], 'text/plain', id);
      assert.equal(line['mode'], id === 'content' ? 'relay' : 'direct', id);
      assert.equal(line['upstreamStatus'], 200, id);
      assert(Number.isInteger(line['upstreamMs']), id);
    }
    const relayed = await lineOf(testServer, 'content');
    assert.equal(relayed['files'], 1);
  });

  it('has 499 and the address of a client that left', async () => {
    using wire = await dial(
      testServer.url,
      `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: left\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: 1000\r\n\r\n--`,
    );
    await settled(() => testServer.server.context.slots.taken === 1, 'the upload has begun');
    wire.socket.destroy();
    const line = await lineOf(testServer, 'left');
    assert.equal(line['status'], 499);
    assert.equal(line['level'], 'info');
    assert.equal(line['ip'], '127.0.0.1');
    assert.match(String(line['msg']), /the client disconnected/);
  });

  it('has what arrived of a file whose client disconnected', async () => {
    const parts = [...textParts(testServer.fields), filePart('clip.mp4', mp4(400_000))];
    const head = encodeForm(parts).subarray(0, -100);
    using wire = await dial(
      testServer.url,
      `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: half\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${head.length + 100}\r\n\r\n`,
    );
    wire.send(head);
    await testServer.sandbox.waitFor((requests) =>
      requests.some(({ complete, aborted }) => !complete && !aborted),
    );
    wire.socket.destroy();
    const line = await lineOf(testServer, 'half');
    assert.equal(line['status'], 499);
    assert.equal(line['files'], 1);
    assert(Number(line['bytes']) > 0, 'the bytes of the file that came');
    assert.equal(line['locationId'], testServer.sandbox.locationId);
  });

  it('counts the bytes of each request on a kept connection', async () => {
    using wire = await dial(testServer.url);
    const sizes: number[] = [];
    for (const id of ['first', 'second']) {
      const bytes = `GET /api/config HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${id}\r\n\r\n`;
      wire.send(bytes);
      await wire.response();
      const line = await lineOf(testServer, id);
      assert.equal(line['bytesIn'], bytes.length);
      sizes.push(Number(line['bytesOut']));
    }
    assert(Math.abs((sizes[0] ?? 0) - (sizes[1] ?? 0)) < 10);
  });

  it('leaves the query out, and probes to who debugs', async () => {
    await request(testServer.url).get('/healthz?who=anna').set('X-Request-Id', 'probe');
    const line = await lineOf(testServer, 'probe');
    assert.equal(line['level'], 'debug');
    assert.equal(line['route'], '/healthz');
    assert(!testServer.log.lines.some((text) => text.includes('anna')));
  });
});

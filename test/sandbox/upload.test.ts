import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import {
  apiHeaders,
  begin,
  field,
  file,
  form,
  ids,
  MULTIPART,
  received,
  send,
  sha256,
  upload,
} from './send.ts';

describe('sandbox upload endpoint', () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await createSandbox();
  });
  afterEach(() => sandbox.reset());
  after(() => sandbox.close());

  it('responds with a URL per file and serves the file there', async () => {
    const bytes = randomBytes(200_000);
    const response = await upload(
      sandbox,
      form(ids(sandbox), file('foto ñ.png', bytes), file('b.txt', 'hola')),
    );
    assert.equal(response.status, 200);
    assert.deepEqual(Object.keys(response.json), ['uploadedFiles']);
    assert.deepEqual(Object.keys(response.json.uploadedFiles), ['foto ñ.png', 'b.txt']);

    const url: string = response.json.uploadedFiles['b.txt'];
    assert.ok(url.startsWith(`${sandbox.storageOrigin}/files/`));
    assert.notEqual(new URL(url).origin, new URL(sandbox.url).origin);
    const shown = await send(url);
    assert.deepEqual([shown.status, shown.text, shown.headers['content-type']], [200, 'hola', 'text/plain']);
    assert.equal(shown.headers['x-content-type-options'], 'nosniff');
    assert.equal(shown.headers['access-control-allow-origin'], '*');
    assert.equal(shown.headers['content-disposition'], 'inline');
    const head = await send(url, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers['content-length'], head.text], [200, '4', '']);
  });

  it('records what arrived', async () => {
    const bytes = randomBytes(100_000);
    const body = form(
      ids(sandbox, { name: '' }),
      file('a%22b.png', bytes, 'image/x-odd'),
      field('__proto__', 'x'),
    );
    await upload(sandbox, body);
    const [record] = sandbox.requests;
    assert.ok(record);
    assert.equal(record.service, 'leadway');
    assert.equal(record.path, '/conversations/messages/upload');
    assert.equal(record.headers['version'], '2021-07-28');
    assert.deepEqual(
      [record.complete, record.aborted, record.left, record.status],
      [true, false, false, 200],
    );
    assert.equal(record.bodyBytes, body.length);
    assert.deepEqual(record.fieldOrder, [
      'conversationId',
      'contactId',
      'locationId',
      'name',
      'fileAttachment',
      '__proto__',
    ]);
    assert.deepEqual(Object.entries(record.fields ?? {}).at(-1), ['__proto__', ['x']]);
    assert.deepEqual(record.fields?.['conversationId'], [sandbox.conversationId]);
    assert.deepEqual(record.files, [
      {
        field: 'fileAttachment',
        name: 'a"b.png',
        contentType: 'image/x-odd',
        size: bytes.length,
        sha256: sha256(bytes),
        complete: true,
      },
    ]);
  });

  it('responds with Twilio media ids to a group SMS and takes one file only', async () => {
    const group = ids(sandbox, { isGroupSms: 'true', chatServiceSid: `IS${'a1'.repeat(16)}` });
    const one = await upload(sandbox, form(group, file('a.png', 'x')));
    assert.match(one.json.twilioMediaSids[0], /^ME[0-9a-f]{32}$/);
    const two = await upload(sandbox, form(group, file('a.png', 'x'), file('b.png', 'x')));
    assert.equal(two.status, 400);
    assert.equal(two.json.status, 400);
  });

  it('rejects extensions that are not listed with 415 {status,message}', async () => {
    for (const name of ['page.html', 'noextension', 'trick.png.exe']) {
      const response = await upload(sandbox, form(ids(sandbox), file(name, 'x')));
      assert.deepEqual([response.status, Object.keys(response.json)], [415, ['status', 'message']]);
    }
    assert.equal((await upload(sandbox, form(ids(sandbox), file('CARD.VCF', 'x')))).status, 200);
  });

  it('lists what is wrong with the fields', async () => {
    const response = await upload(sandbox, form(field('contactId', 'not an id'), file('a.png', 'x')));
    assert.equal(response.status, 400);
    assert.deepEqual(Object.keys(response.json), ['statusCode', 'message', 'error', 'traceId']);
    assert.deepEqual(response.json.message, ['contactId must be a valid id', 'locationId must be a string']);
  });

  it('needs the conversation or the contact', async () => {
    const { locationId, conversationId, contactId } = sandbox;
    const upTo = (name: string, value: string) =>
      upload(sandbox, form(field('locationId', locationId), field(name, value), file('a.png', 'x')));
    assert.equal((await upTo('conversationId', conversationId)).status, 200);
    assert.equal((await upTo('contactId', contactId)).status, 200);
    const neither = await upTo('contactId', '');
    assert.deepEqual(neither.json.message, ['conversationId or contactId should not be empty']);
  });

  it('rejects other file fields, no file, and bodies that are not forms', async () => {
    const wrong = [
      form(ids(sandbox), file('a.png', 'x', 'image/png', 'file')),
      form(ids(sandbox)),
      form(ids(sandbox), file('a.png', 'x')).subarray(0, -10),
    ];
    for (const body of wrong) assert.equal((await upload(sandbox, body)).status, 400);
    assert.deepEqual(
      sandbox.requests.map(({ complete }) => complete),
      [true, true, false],
    );
    const json = await upload(sandbox, Buffer.from('{}'), { 'Content-Type': 'application/json' });
    assert.equal(json.status, 400);
  });

  it('keeps a token to its location', async () => {
    const response = await upload(sandbox, form(ids(sandbox, { locationId: 'another' }), file('a.png', 'x')));
    assert.equal(response.status, 403);
    assert.equal(response.json.message, 'The token does not have access to this location.');
  });

  it('responds with 500 for a conversation that is missing', async () => {
    const response = await upload(
      sandbox,
      form(ids(sandbox, { conversationId: 'missing1' }), file('a.png', 'x')),
    );
    assert.equal(response.status, 500);
    assert.deepEqual(response.json, { statusCode: 500, message: 'Conversation with id missing1 not found' });
  });

  it('rejects a bad token before the body is sent, and reads the body anyway', async () => {
    const body = form(ids(sandbox), file('a.png', randomBytes(300_000)));
    const req = begin(`${sandbox.url}/conversations/messages/upload`, {
      method: 'POST',
      headers: apiHeaders(sandbox, { ...MULTIPART, Authorization: 'Bearer wrong' }),
    });
    const response = received(req);
    req.flushHeaders();
    const { status, json } = await response;
    assert.deepEqual([status, json.message, json.error], [401, 'Invalid JWT', 'Unauthorized']);
    assert.match(json.traceId, /^[0-9a-f-]{36}$/);
    req.end(body);
    await sandbox.waitFor(([record]) => record?.complete === true);
    assert.equal(sandbox.requests[0]?.bodyBytes, body.length);
  });

  it('responds with a bare 404 without Accept: application/json and 401 without a known Version', async () => {
    const body = form(ids(sandbox), file('a.png', 'x'));
    const bare = await upload(sandbox, body, { Accept: '*/*' });
    assert.deepEqual([bare.status, bare.text], [404, '']);
    assert.equal((await upload(sandbox, body, { Version: '1999-01-01' })).status, 401);
    for (const version of ['2021-04-15', '2023-02-21', 'v3']) {
      assert.equal((await upload(sandbox, body, { Version: version })).status, 200);
    }
  });

  it('records a client that disconnects in the middle', async () => {
    await using quiet = await createSandbox();
    const body = form(ids(quiet), file('a.png', randomBytes(300_000)));
    const req = begin(`${quiet.url}/conversations/messages/upload`, {
      method: 'POST',
      headers: apiHeaders(quiet, { ...MULTIPART, 'Content-Length': String(body.length) }),
    });
    req.on('error', () => {});
    req.write(body.subarray(0, 100_000));
    await quiet.waitFor(([record]) => record?.bodyBytes === 100_000);
    req.destroy();
    await quiet.waitFor(([record]) => record?.aborted === true);
    const [record] = quiet.requests;
    assert.deepEqual([record?.complete, record?.status, record?.left], [false, null, true]);
    assert.equal(record?.files?.[0]?.complete, false);
    assert.match(record?.files?.[0]?.sha256 ?? '', /^[0-9a-f]{64}$/);
    await quiet.waitFor(() => quiet.openSockets() === 0);
  });

  it('responds with 413 {status,message} as soon as its own limit is passed', async () => {
    await using small = await createSandbox({ maxUploadBytes: 1_000, uploadStatus: 201 });
    const fits = await upload(small, form(ids(small), file('a.png', randomBytes(1_000))));
    assert.equal(fits.status, 201);
    const response = await upload(small, form(ids(small), file('a.png', randomBytes(1_001))));
    assert.deepEqual([response.status, Object.keys(response.json)], [413, ['status', 'message']]);
  });
});

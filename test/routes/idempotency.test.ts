import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import {
  call,
  complete,
  fields,
  file,
  initiated,
  putContent,
  type Reply,
  seen,
  sendForm,
} from '../helpers/direct-steps.ts';
import { encodeForm, fixture, mp4, type Part } from '../helpers/multipart.ts';
import { beginUpload, connectTo } from '../helpers/raw-client.ts';
import { needsRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';

const MIB = 1024 * 1024;

function uploads({ sandbox }: TestServer): number {
  return sandbox.requests.filter(
    ({ path, complete }) => complete && path === '/conversations/messages/upload',
  ).length;
}

describe('Idempotency-Key', () => {
  let testServer: TestServer;
  let target: readonly Part[];
  let headers: { readonly 'Idempotency-Key': string };
  before(async () => {
    testServer = await createTestServer({ env: { UPSTREAM_TIMEOUT_MS: '300' } });
    target = fields(testServer.fields);
  });
  beforeEach(() => {
    testServer.sandbox.reset();
    headers = { 'Idempotency-Key': randomUUID() };
  });
  after(() => testServer[Symbol.asyncDispose]());

  function send(parts: readonly Part[], path = ''): Promise<Reply> {
    return sendForm(testServer, [...target, ...parts], { path, headers });
  }

  for (const [what, parts, path] of [
    ['a held file', [file('a.png', fixture('picture.png'))], ''],
    ['a streamed file', [file('film.mp4', mp4(3 * MIB))], ''],
    ['several files', [file('a.txt', 'one'), file('film.mp4', mp4(400_000)), file('b.txt', 'two')], ''],
    ['a relayed file', [file('film.mp4', mp4(3 * MIB))], '?mode=relay'],
    ['a direct upload', [file('film.mp4', mp4(100_000))], '?mode=direct'],
  ] as const) {
    it(`gives a repeat of ${what} the first outcome, and sends nothing again`, async () => {
      const first = await send(parts, path);
      assert(first.status < 300, first.text);
      const before = testServer.sandbox.requests.length;
      const repeat = await send(parts, path);
      assert.equal(`${repeat.status} ${repeat.text}`, `${first.status} ${first.text}`);
      assert.equal(testServer.sandbox.requests.length, before);
    });
  }

  for (const [what, parts, path] of [
    ['other content', [file('a.txt', 'two')], ''],
    ['another name', [file('b.txt', 'one')], ''],
    ['another field', [...fields({ isGroupSms: 'true' }), file('a.txt', 'one')], ''],
    ['another size', [...fields({ fileSize: 3 }), file('a.txt', 'one')], ''],
    ['one file more', [file('a.txt', 'one'), file('b.txt', 'two')], ''],
    ['another mode', [file('a.txt', 'one')], '?mode=forward'],
    ['a file that is streamed', [file('film.mp4', mp4(3 * MIB))], ''],
  ] as const) {
    it(`rejects ${what} under the same key before anything goes upstream`, async () => {
      assert.equal((await send([file('a.txt', 'one')])).status, 200);
      const before = testServer.sandbox.requests.length;
      const { status, body } = await send(parts, path);
      assert.equal(`${status} ${body.code} ${body.retryable}`, '422 IDEMPOTENCY_MISMATCH false');
      assert.equal(testServer.sandbox.requests.length, before);
    });
  }

  for (const key of ['', ' ', 'a b', 'a'.repeat(129), 'schlüssel', 'a,b', '"quoted"']) {
    it(`rejects the key ${JSON.stringify(key.slice(0, 20))}`, async () => {
      const wrong = { 'Idempotency-Key': Buffer.from(key).toString('latin1') };
      const { status, body } = await sendForm(testServer, [...target, file('a.txt', 'one')], {
        headers: wrong,
      });
      assert.equal(`${status} ${body.code}`, '400 INVALID_FIELD');
      assert.equal(body.details?.['field'], 'Idempotency-Key');
    });
  }

  it('means nothing to another endpoint', async () => {
    assert.equal((await send([file('a.txt', 'one')])).status, 200);
    const options = { conversationId: testServer.sandbox.conversationId, filename: 'a.txt' };
    const reply = await call(`${testServer.api}/messages/upload/initiate`, {
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(options),
    });
    assert.equal(reply.status, 200, reply.text);
  });

  it('lets a repeat wait while the first is running', async () => {
    testServer.sandbox.fault = 'slow-headers';
    const replies = await Promise.all([1, 2, 3].map(() => send([file('a.txt', 'one')])));
    assert.equal(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1);
    assert.equal(replies[0]?.status, 200);
    assert.equal(uploads(testServer), 1);
  });

  it('lets a repeat take the place of a first whose client has disconnected before the commit', async () => {
    const parts = [...target, file('film.mp4', mp4(3 * MIB))];
    const form = encodeForm(parts);
    const lines = [`Idempotency-Key: ${headers['Idempotency-Key']}`];
    using first = await beginUpload(testServer, form.length, lines);
    await first.send(form.subarray(0, 2 * MIB));
    await testServer.sandbox.waitFor((requests) => requests.length === 1);
    const repeat = sendForm(testServer, parts, { headers });
    first.leave();
    assert.equal((await repeat).status, 200);
    assert.equal(uploads(testServer), 1);
  });

  it('remembers no failure before the commit, and none that Leadway has named', async () => {
    assert.equal((await send([file('a.png', 'no picture')])).body.code, 'TYPE_MISMATCH');
    testServer.sandbox.fault = 'early-413';
    assert.equal((await send([file('a.txt', 'one')])).body.code, 'UPSTREAM_REJECTED');
    testServer.sandbox.fault = null;
    assert.equal((await send([file('a.txt', 'one')])).status, 200);
  });

  it('does not send again what may have arrived', async () => {
    testServer.sandbox.fault = 'never-answers';
    const first = await send([file('a.txt', 'one')]);
    assert.equal(`${first.status} ${first.body.code} ${first.body.retryable}`, '504 UPSTREAM_TIMEOUT false');
    assert.match(first.body.message ?? '', /may have been sent already/);
    testServer.sandbox.fault = null;
    const before = testServer.sandbox.requests.length;
    const { status, body } = await send([file('a.txt', 'one')]);
    assert.equal(`${status} ${body.code} ${body.retryable}`, '409 IDEMPOTENCY_UNKNOWN false');
    assert.equal(testServer.sandbox.requests.length, before);
  });

  for (const [fault, code] of [
    ['cut', 'UPSTREAM_ABORTED'],
    ['status-502', 'UPSTREAM_ERROR'],
    ['html', 'UPSTREAM_ERROR'],
    ['never-answers', 'UPSTREAM_TIMEOUT'],
  ] as const) {
    it(`calls ${code} (${fault}) retryable only where a repeat can succeed`, async () => {
      const { ticket, contentType } = await initiated(testServer, { filename: 'a.txt' });
      await putContent(testServer, { ticket, contentType }, 'one');
      testServer.sandbox.fault = fault;
      for (const request of [
        (more: object) => sendForm(testServer, [...target, file('a.txt', 'one')], { headers: { ...more } }),
        (more: object) => complete(testServer, { ticket }, { ...more }),
      ]) {
        const unkeyed = await request({});
        assert.equal(`${unkeyed.body.code} ${unkeyed.body.retryable}`, `${code} true`);
        const keyed = await request(headers);
        assert.equal(`${keyed.body.code} ${keyed.body.retryable}`, `${code} false`);
        assert.equal(keyed.body.details?.['outcome'], 'unknown');
        assert.equal(keyed.headers['retry-after'], undefined);
        const repeat = await request(headers);
        assert.equal(`${repeat.body.code} ${repeat.body.retryable}`, 'IDEMPOTENCY_UNKNOWN false');
      }
    });
  }

  for (const fault of ['status-500', 'status-503'] as const) {
    it(`sends again what Leadway itself has failed at (${fault})`, async () => {
      testServer.sandbox.fault = fault;
      const first = await send([file('a.txt', 'one')]);
      assert.equal(`${first.body.code} ${first.body.retryable}`, 'UPSTREAM_ERROR true');
      testServer.sandbox.fault = null;
      assert.equal((await send([file('a.txt', 'one')])).status, 200);
    });
  }

  it('calls a failure before the commit retryable, and the repeat succeeds', async () => {
    testServer.sandbox.fault = 'refuse';
    await testServer.sandbox.ready();
    const first = await send([file('film.mp4', mp4(400_000))]);
    assert.equal(`${first.body.code} ${first.body.retryable}`, 'UPSTREAM_UNREACHABLE true');
    testServer.sandbox.fault = null;
    await testServer.sandbox.ready();
    assert.equal((await send([file('film.mp4', mp4(400_000))])).status, 200);
  });

  it('keeps the slot of an upload that runs on without its client, until that has ended', async () => {
    const { activity, slots } = testServer.server.context;
    testServer.sandbox.fault = 'never-answers';
    await leaveAfterCommit(testServer, headers['Idempotency-Key']);
    assert.deepEqual([slots.taken, activity.requests], [1, 1]);
    await settled(() => slots.taken === 0 && activity.requests === 0, 'the upload has ended');
    const { body } = await send([file('a.txt', 'one')]);
    assert.equal(body.code, 'IDEMPOTENCY_UNKNOWN');
  });

  it('gives the same signed URL and the same public URL again', async () => {
    const json = { ...headers, 'Content-Type': 'application/json' };
    const { conversationId } = testServer.sandbox;
    const asked = { headers: json, body: JSON.stringify({ conversationId, filename: 'a.txt', fileSize: 3 }) };
    const first = await call(`${testServer.api}/messages/upload/initiate`, asked);
    const again = await call(`${testServer.api}/messages/upload/initiate`, asked);
    assert.equal(again.text, first.text);
    assert.equal(seen(testServer, 'initiate').length, 1);
    const stored = await fetch(first.body.uploadUrl, {
      method: 'PUT',
      headers: first.body.headers,
      body: 'one',
    });
    assert.equal(stored.status, 200);
    const completing = { headers: json, body: JSON.stringify({ ticket: first.body.ticket }) };
    const completed = await call(`${testServer.api}/messages/upload/complete`, completing);
    const repeated = await call(`${testServer.api}/messages/upload/complete`, completing);
    assert.equal(completed.status, 200, completed.text);
    assert.equal(repeated.text, completed.text);
    assert.equal(seen(testServer, 'complete').length, 1);
  });
});

/** Sends an upload and disconnects once Leadway has all of it; resolves when the server has noticed. */
async function leaveAfterCommit(testServer: TestServer, key: string): Promise<void> {
  const form = encodeForm([...fields(testServer.fields), file('a.txt', 'one')]);
  const before = testServer.log.lines.length;
  using client = await beginUpload(testServer, form.length, [`Idempotency-Key: ${key}`]);
  await client.send(form);
  await testServer.sandbox.waitFor((requests) => requests.some(({ complete: isWhole }) => isWhole));
  client.leave();
  const hasLeft = () =>
    testServer.log.lines.slice(before).some((line) => line.includes('the client disconnected'));
  await settled(hasLeft, 'the client has disconnected');
}

describe('a shutdown', () => {
  it('waits for an upload with a key that runs on without its client', async () => {
    await using testServer = await createTestServer({ sandbox: { fault: 'slow-headers' } });
    await leaveAfterCommit(testServer, 'key-1');
    assert.equal(await testServer.server.drain({ graceMs: 60_000 }), true);
    const [upload] = testServer.sandbox.requests;
    assert.deepEqual([upload?.status, upload?.left], [200, false]);
  });
});

describe('a shutdown while a complete with a key runs on without its client', () => {
  it('waits for it, so that a repeat gets its outcome', async () => {
    await using testServer = await createTestServer();
    const { sandbox } = testServer;
    const { ticket, contentType } = await initiated(testServer, { filename: 'a.txt' });
    await putContent(testServer, { ticket, contentType }, 'one');
    sandbox.fault = 'slow-headers';
    using client = await connectTo(testServer);
    const body = JSON.stringify({ ticket });
    const lines = [
      'POST /api/messages/upload/complete HTTP/1.1',
      'Host: localhost',
      'Idempotency-Key: key-1',
    ];
    const head = [...lines, 'Content-Type: application/json', `Content-Length: ${body.length}`, '', ''];
    await client.send(head.join('\r\n') + body);
    await sandbox.waitFor(() => seen(testServer, 'complete').some(({ complete: isWhole }) => isWhole));
    client.leave();
    await settled(
      () => testServer.log.lines.some((line) => line.includes('the client disconnected')),
      'it has left',
    );
    assert.equal(await testServer.server.drain({ graceMs: 60_000 }), true);
    assert.deepEqual(
      seen(testServer, 'complete').map(({ status, left }) => [status, left]),
      [[200, false]],
    );
  });
});

describe('Idempotency-Key on several replicas', function () {
  needsRedis(this);
  const REPLICAS = 3;
  const CUTS = 100;
  let redis: TestRedis;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis[Symbol.asyncDispose]());

  it('stores each file once when connections are cut behind the commit, and every repeat gets its URL', async () => {
    await using sandbox = asDisposable(
      await createSandbox({ rateLimit: { max: 100_000, intervalMs: 10_000, daily: 1_000_000 }, slowMs: 50 }),
    );
    const env = {
      REDIS_URL: redis.url,
      TICKET_SECRETS: 'idempotency-test-secret-of-32-characters',
      MAX_CONCURRENT_UPLOADS_PER_CALLER: '256',
    };
    await using replicas = new AsyncDisposableStack();
    const servers: TestServer[] = [];
    for (let index = 0; index < REPLICAS; index += 1) {
      servers.push(replicas.use(await createTestServer({ env, upstream: sandbox.sandbox })));
    }
    await settled(
      () => servers.every(({ server }) => server.context.sharedStore?.isUp),
      'every replica has reached Redis',
    );
    const pick = (index: number): TestServer => servers[index % REPLICAS] as TestServer;
    sandbox.sandbox.fault = 'slow-headers';
    const urls: string[] = [];
    for (let index = 0; index < CUTS; index += 1) {
      const key = `cut-${index}`;
      const parts = [...fields(pick(0).fields), file(`${index}.txt`, `file ${index}`)];
      const form = encodeForm(parts);
      using client = await beginUpload(pick(index), form.length, [`Idempotency-Key: ${key}`]);
      await client.send(form);
      await sandbox.sandbox.waitFor(
        (requests) => requests.filter(({ complete }) => complete).length === index + 1,
      );
      client.leave();
      const headers = { 'Idempotency-Key': key };
      const { status, body, text } = await sendForm(pick(index + 1), parts, { headers });
      assert.equal(status, 200, text);
      urls.push(body.uploadedFiles?.[`${index}.txt`] ?? '');
    }
    assert.equal(new Set(urls).size, CUTS);
    assert.equal(sandbox.sandbox.requests.filter(({ path }) => path.endsWith('/upload')).length, CUTS);
    for (const [index, url] of urls.entries()) {
      assert.equal(await (await fetch(url)).text(), `file ${index}`);
    }
  });
});

function asDisposable(sandbox: Sandbox): { readonly sandbox: Sandbox } & AsyncDisposable {
  return { sandbox, [Symbol.asyncDispose]: () => sandbox.close() };
}

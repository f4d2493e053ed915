import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createSandbox } from '../../sandbox/index.ts';
import { apiHeaders, begin, file, form, ids, initiate, MULTIPART, received, send, upload } from './send.ts';

describe('sandbox', () => {
  it('counts the requests of every location and rejects past the limit', async () => {
    let now = 0;
    await using sandbox = await createSandbox({
      tokens: { one: 'token-one', two: 'token-two' },
      rateLimit: { max: 2, intervalMs: 10_000, daily: 4 },
      now: () => now,
    });
    const ask = (token: string) =>
      send(`${sandbox.url}/conversations/abc`, {
        headers: apiHeaders(sandbox, { Authorization: `Bearer ${token}` }),
      });
    const first = await ask('token-one');
    assert.deepEqual(
      ['max', 'remaining', 'interval-milliseconds', 'limit-daily', 'daily-remaining'].map(
        (name) => first.headers[`x-ratelimit-${name}`],
      ),
      ['2', '1', '10000', '4', '3'],
    );
    await ask('token-one');
    const rejected = await ask('token-one');
    assert.equal(rejected.status, 429);
    assert.equal(rejected.headers['retry-after'], undefined);
    assert.equal(rejected.headers['x-ratelimit-remaining'], '0');
    assert.equal((await ask('token-two')).status, 200);
    assert.equal((await ask('wrong')).headers['x-ratelimit-max'], '2');
    now = 10_000;
    assert.equal((await ask('token-one')).status, 200);
    assert.equal((await ask('token-one')).status, 429, 'the daily limit');
  });

  it('has the limits of a trial account, if it is to be one', async () => {
    for (const [account, max, daily] of [
      ['full', '100', '200000'],
      ['trial', '25', '10000'],
    ] as const) {
      await using sandbox = await createSandbox({ account });
      const { headers } = await send(`${sandbox.url}/conversations/abc`, { headers: apiHeaders(sandbox) });
      assert.deepEqual([headers['x-ratelimit-max'], headers['x-ratelimit-limit-daily']], [max, daily]);
    }
    await assert.rejects(createSandbox({ account: 'free' as 'trial' }), /account: expected full or trial/);
  });

  it('has errors in the shape of the version that was asked for', async () => {
    await using sandbox = await createSandbox();
    const ask = async (version: string): Promise<unknown> => {
      const headers = apiHeaders(sandbox, { Version: version });
      const { json } = await send(`${sandbox.url}/conversations/search`, { headers });
      assert.match(json.traceId, /^[0-9a-f-]{36}$/);
      return { ...json, traceId: '' };
    };
    const problem = 'locationId should not be empty';
    assert.deepEqual(await ask('2021-07-28'), {
      statusCode: 400,
      message: [problem],
      error: 'Bad Request',
      traceId: '',
    });
    const error = { code: 'BAD_REQUEST', message: 'Validation failed', details: [{ message: problem }] };
    assert.deepEqual(await ask('v3'), { error, traceId: '' });
  });

  it('keeps several locations apart', async () => {
    await using sandbox = await createSandbox({ tokens: { one: 'token-one', two: 'token-two' } });
    assert.deepEqual([sandbox.locationId, sandbox.token], ['one', 'token-one']);
    const status = async (locationId: string, token: string) =>
      (
        await upload(sandbox, form(ids(sandbox, { locationId }), file('a.png', 'x')), {
          Authorization: `Bearer ${token}`,
        })
      ).status;
    assert.equal(await status('one', 'token-one'), 200);
    assert.equal(await status('two', 'token-two'), 200);
    assert.equal(await status('two', 'token-one'), 403);
  });

  it('rotates its token', async () => {
    await using sandbox = await createSandbox();
    const old = sandbox.token;
    sandbox.setToken('fresh-token');
    const body = form(ids(sandbox), file('a.png', 'x'));
    assert.equal((await upload(sandbox, body, { Authorization: `Bearer ${old}` })).status, 401);
    assert.equal((await upload(sandbox, body, { Authorization: 'Bearer fresh-token' })).status, 200);
    sandbox.reset();
    assert.equal(sandbox.token, old);
  });

  it('reads a throttled body slowly, with backpressure on the sender', async () => {
    await using sandbox = await createSandbox({ readBytesPerSecond: 100_000 });
    const req = begin(`${sandbox.url}/conversations/messages/upload`, {
      method: 'POST',
      headers: apiHeaders(sandbox, MULTIPART),
    });
    req.on('error', () => {});
    req.write(ids(sandbox));
    req.write(file('a.png', '').subarray(0, -2));
    // The kernel's buffers take some MB; far less than all of this can have been read.
    let isFull = false;
    for (let i = 0; i < 400 && !isFull; i += 1) isFull = !req.write(Buffer.alloc(64 * 1024)) && i > 200;
    await sandbox.waitFor(([record]) => (record?.bodyBytes ?? 0) > 5_000);
    assert.ok((sandbox.requests[0]?.bodyBytes ?? 0) < 1_000_000);
    assert.ok(req.writableLength > 0, 'the sender is held back');
    req.destroy();
  });

  it('takes 60 MB without holding them when files are discarded', async function () {
    this.timeout(30_000);
    await using sandbox = await createSandbox({ discardFiles: true });
    const req = begin(`${sandbox.url}/conversations/messages/upload`, {
      method: 'POST',
      headers: apiHeaders(sandbox, MULTIPART),
    });
    const response = received(req);
    req.write(ids(sandbox));
    req.write(file('a.mp4', '').subarray(0, -2));
    const piece = Buffer.alloc(1024 * 1024, 1);
    // Without a collection the numbers would show garbage that is not held.
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    collect();
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let i = 0; i < 60; i += 1) {
      if (!req.write(piece)) await once(req, 'drain');
      if (i % 10 !== 9) continue;
      collect();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    req.end(Buffer.concat([Buffer.from('\r\n'), form()]));
    assert.equal((await response).status, 200);
    assert.equal(sandbox.requests[0]?.files?.[0]?.size, 60 * 1024 * 1024);
    assert.ok(most < 20 * 1024 * 1024, `held ${Math.round(most / 1024 / 1024)} MiB`);
  });

  it('drops the oldest contents when its store is full', async () => {
    await using sandbox = await createSandbox({ maxStoredBytes: 1_500 });
    const urls: string[] = [];
    for (const name of ['a.txt', 'b.txt']) {
      const response = await upload(sandbox, form(ids(sandbox), file(name, Buffer.alloc(1_000, 'x'))));
      urls.push(response.json.uploadedFiles[name]);
    }
    const statuses = await Promise.all(urls.map(async (url) => (await send(url)).status));
    assert.deepEqual(statuses, [404, 200]);
  });

  it('tells what it has seen when a wait is in vain', async () => {
    await using sandbox = await createSandbox();
    await send(`${sandbox.url}/nothing`);
    await assert.rejects(
      sandbox.waitFor(() => false, 1),
      /waited 1 ms in vain.*leadway GET \/nothing status=404/s,
    );
    const waiting = sandbox.waitFor(() => false);
    await Promise.all([assert.rejects(waiting, /was closed/), sandbox.close()]);
  });

  it('forgets everything at a reset and cuts what is in flight', async () => {
    await using sandbox = await createSandbox({ fault: 'never-answers' });
    const waiting = initiate(sandbox);
    await sandbox.waitFor(([record]) => record?.complete === true);
    sandbox.fault = 'html';
    const rejected = assert.rejects(waiting, { code: 'ECONNRESET' });
    sandbox.reset();
    await rejected;
    assert.deepEqual([sandbox.requests.length, sandbox.fault], [0, 'never-answers']);
  });

  it('closes with requests in flight and frees its ports', async () => {
    const sandbox = await createSandbox({ fault: 'stops-reading' });
    const req = begin(`${sandbox.url}/conversations/messages/upload`, {
      method: 'POST',
      headers: apiHeaders(sandbox, MULTIPART),
    });
    const failed = assert.rejects(received(req));
    req.write(form(ids(sandbox), file('a.png', Buffer.alloc(100_000))));
    await sandbox.waitFor(([record]) => (record?.bodyBytes ?? 0) > 0);
    assert.equal(sandbox.openSockets(), 1);
    await sandbox.close();
    await failed;
    assert.equal(sandbox.openSockets(), 0);
    await assert.rejects(send(sandbox.url), { code: 'ECONNREFUSED' });
    await assert.rejects(send(sandbox.storageOrigin), { code: 'ECONNREFUSED' });
    await sandbox.close();
  });

  it('survives requests that are not HTTP', async () => {
    await using sandbox = await createSandbox();
    for (const bytes of [
      '\x16\x03\x01\x02',
      'GET * HTTP/1.1\r\nHost: x\r\n\r\n',
      'PUT http:// HTTP/1.1\r\nHost: x\r\n\r\n',
    ]) {
      const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1');
      socket.on('error', () => {});
      socket.end(bytes);
      socket.resume();
      await once(socket, 'close');
    }
    assert.equal((await initiate(sandbox)).status, 200);
  });

  it('rejects options that could not work', async () => {
    await assert.rejects(createSandbox({ locationId: 'not an id' }), TypeError);
    await assert.rejects(createSandbox({ token: 'two words' }), TypeError);
    await assert.rejects(createSandbox({ tokens: {} }), TypeError);
    // @ts-expect-error -- a JavaScript client or an environment variable can still say it.
    await assert.rejects(createSandbox({ fault: 'nonsense' }), /no fault is named "nonsense"/);
  });

  it('ends at once when it is to have an account that there is not', async () => {
    const main = fileURLToPath(new URL('../../sandbox/main.ts', import.meta.url));
    const child = spawn(process.execPath, [main, '--account', 'free'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exited = once(child, 'exit');
    const [line] = await once(createInterface(child.stderr), 'line');
    assert.equal(line, '--account: expected full or trial, got "free"');
    assert.deepEqual(await exited, [64, null]);
  });

  it('runs alone, says where it is, and stops at SIGTERM', async () => {
    const main = fileURLToPath(new URL('../../sandbox/main.ts', import.meta.url));
    const child = spawn(process.execPath, [main, '--fault', 'status-503'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const [line] = await once(createInterface(child.stdout), 'line');
    const [, url, token] = /^sandbox (http:\S+) token=(\S+) location=\S+ storage=http:\S+$/.exec(line) ?? [];
    const headers = { Authorization: `Bearer ${token}`, Version: 'v3', Accept: 'application/json' };
    assert.equal((await send(`${url}/conversations/abc`, { headers })).status, 503);
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  });
});

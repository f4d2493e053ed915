import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Agent, type ClientRequest } from 'node:http';
import { createSandbox, FAULTS, type FaultName, isFaultName, type Sandbox } from '../../sandbox/index.ts';
import {
  apiHeaders,
  begin,
  file,
  form,
  ids,
  initiate,
  MULTIPART,
  postJson,
  put,
  type Received,
  received,
  send,
  upload,
} from './send.ts';

const SMALL = randomBytes(20_000);

describe('sandbox faults', () => {
  let sandbox: Sandbox;
  const tested = new Set<string>();

  before(async () => {
    sandbox = await createSandbox({ slowMs: 50 });
  });
  afterEach(async () => {
    sandbox.reset();
    await sandbox.ready();
  });
  after(() => sandbox.close());

  /** Uploads to the conversation that has the fault. */
  function uploadWith(name: FaultName, contents: Buffer = SMALL): Promise<Received> {
    tested.add(name.replace(/status-\d+/, 'status-NNN'));
    return upload(sandbox, form(ids(sandbox, { conversationId: `fault-${name}` }), file('a.png', contents)));
  }

  /** Begins an upload that never ends by itself. */
  function beginUpload(name: FaultName): ClientRequest {
    tested.add(name);
    const req = begin(`${sandbox.url}/conversations/messages/upload`, {
      method: 'POST',
      headers: apiHeaders(sandbox, MULTIPART),
    });
    req.on('error', () => {});
    req.write(ids(sandbox, { conversationId: `fault-${name}` }));
    req.write(file('a.png', SMALL).subarray(0, -2));
    return req;
  }

  async function uploadUrlWith(name: FaultName): Promise<string> {
    tested.add(name.replace(/status-\d+/, 'status-NNN'));
    return (await initiate(sandbox, { conversationId: `fault-${name}` })).json.uploadUrl;
  }

  it('reject: destroys the socket of one request', async () => {
    await assert.rejects(uploadWith('refuse'), { code: /ECONNRESET|EPIPE/ });
    assert.deepEqual([sandbox.requests[0]?.fault, sandbox.requests[0]?.status], ['refuse', null]);
  });

  it('reject: for everything, closes the port until it is cleared', async () => {
    sandbox.fault = 'refuse';
    await sandbox.ready();
    await assert.rejects(initiate(sandbox), { code: 'ECONNREFUSED' });
    sandbox.fault = null;
    await sandbox.ready();
    assert.equal((await initiate(sandbox)).status, 200);
  });

  it('slow-headers: responds as usual, but late', async () => {
    const startedAt = performance.now();
    assert.equal((await uploadWith('slow-headers')).status, 200);
    assert.ok(performance.now() - startedAt >= 45);
  });

  it('slow-body: takes the body and gives the response in small pieces', async () => {
    const startedAt = performance.now();
    const response = await uploadWith('slow-body', randomBytes(200_000));
    assert.deepEqual([response.status, Object.keys(response.json.uploadedFiles)], [200, ['a.png']]);
    assert.ok(performance.now() - startedAt >= 45);
  });

  it('never-answers: reads everything, and sees the client disconnect', async () => {
    const req = beginUpload('never-answers');
    req.end(Buffer.concat([Buffer.from('\r\n'), form()]));
    await sandbox.waitFor(([record]) => record?.complete === true);
    req.destroy();
    await sandbox.waitFor(([record]) => record?.left === true);
    assert.deepEqual([sandbox.requests[0]?.status, sandbox.requests[0]?.aborted], [null, false]);
  });

  it('stops-reading: takes no more once it knows the conversation', async () => {
    const req = beginUpload('stops-reading');
    await sandbox.waitFor(([record]) => record?.fault === 'stops-reading');
    let isHeldBack = false;
    for (let i = 0; i < 400; i += 1) isHeldBack = !req.write(Buffer.alloc(64 * 1024));
    assert.equal(isHeldBack, true);
    assert.ok((sandbox.requests[0]?.bodyBytes ?? 0) < 100_000);
    sandbox.reset();
    await sandbox.waitFor(() => sandbox.openSockets() === 0);
  });

  it('cut: breaks the connection in the middle of the response', async () => {
    await assert.rejects(uploadWith('cut'), { code: 'ECONNRESET' });
    assert.deepEqual([sandbox.requests[0]?.status, sandbox.requests[0]?.complete], [200, true]);
  });

  it('reset-mid-upload: resets after some KiB', async () => {
    const req = beginUpload('reset-mid-upload');
    await assert.rejects(received(req), { code: /ECONNRESET|EPIPE/ });
    await sandbox.waitFor(([record]) => record?.aborted === true);
    await assert.rejects(uploadWith('reset-mid-upload', Buffer.from('x')), { code: /ECONNRESET|EPIPE/ });
  });

  for (const [name, status] of [
    ['early-413', 413],
    ['early-401', 401],
    ['early-413-stuck', 413],
  ] as const) {
    it(`${name}: responds while the body still arrives, and closes later`, async () => {
      const req = beginUpload(name);
      assert.equal((await received(req)).status, status);
      assert.equal(sandbox.requests[0]?.complete, false);
      await sandbox.waitFor(([record]) => record?.aborted === true);
    });
  }

  it('early-413: discards what still comes, so that the client can finish', async () => {
    sandbox.fault = 'early-413';
    const req = begin(`${sandbox.url}/conversations/messages/upload`, {
      method: 'POST',
      headers: apiHeaders(sandbox, MULTIPART),
    });
    const response = received(req);
    req.write('--');
    assert.equal((await response).status, 413);
    req.end(SMALL);
    await sandbox.waitFor(([record]) => (record?.bodyBytes ?? 0) === SMALL.length + 2);
  });

  it('early-413-close: responds and resets at once', async () => {
    const req = beginUpload('early-413-close');
    await received(req).catch(() => {});
    await sandbox.waitFor(([record]) => record?.aborted === true);
    assert.equal(sandbox.requests[0]?.status, 413);
  });

  it('status-NNN: responds with any status in the usual shape, and redirects elsewhere', async () => {
    for (const status of [403, 422, 500, 503] as const) {
      const response = await uploadWith(`status-${status}`);
      assert.deepEqual([response.status, response.json.statusCode], [status, status]);
    }
    const redirect = await uploadWith('status-301');
    assert.deepEqual([redirect.status, redirect.headers.location?.split('/')[2]], [301, 'elsewhere.example']);
    assert.deepEqual([(await uploadWith('status-204')).text], ['']);
  });

  const responses: [FaultName, number, (response: Received) => unknown, unknown][] = [
    ['html', 200, ({ headers }) => headers['content-type'], 'text/html; charset=utf-8'],
    ['bad-json', 200, ({ json, text }) => [json, text.length > 0], [undefined, true]],
    ['huge-json', 200, ({ text }) => text.length > 2 * 1024 * 1024, true],
    ['empty-success', 200, ({ json }) => json, {}],
    ['429', 429, ({ headers: h }) => [h['retry-after'], h['x-ratelimit-remaining']], [undefined, '0']],
    ['429-retry-after', 429, ({ headers }) => headers['retry-after'], '1'],
    ['bad-token', 401, ({ json }) => json.message, 'Invalid JWT'],
    ['no-scope', 401, ({ json }) => json.message, 'The token is not authorized for this scope.'],
    ['auth-class', 401, ({ json }) => json.message, 'This AuthClass is not yet supported'],
    [
      'leaky',
      400,
      ({ json }) =>
        [/sandbox-token/, /X-Goog-Signature=/, /10\.23\.45\.67/].map((leak) => leak.test(json.message)),
      [true, true, true],
    ],
  ];
  for (const [name, status, look, expected] of responses) {
    it(`${name}: responds with ${status}, for one conversation and for everything`, async () => {
      const response = await uploadWith(name);
      assert.deepEqual([response.status, look(response)], [status, expected]);
      assert.equal(sandbox.requests[0]?.complete, true);
      sandbox.fault = name;
      const other = await initiate(sandbox);
      assert.deepEqual([other.status, look(other)], [status, expected]);
    });
  }

  it('stale-keep-alive: resets the next request on the same connection', async () => {
    tested.add('stale-keep-alive');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (id: string) =>
      send(`${sandbox.url}/conversations/${id}`, { headers: apiHeaders(sandbox), agent });
    assert.equal((await ask('fault-stale-keep-alive')).status, 200);
    await assert.rejects(ask('abc'), { code: 'ECONNRESET' });
    assert.equal((await ask('abc')).status, 200);
  });

  it('no-initiate and initiate-401-class: leave upload alone', async () => {
    for (const [name, status] of [
      ['no-initiate', 404],
      ['initiate-401-class', 401],
    ] as const) {
      assert.equal((await uploadWith(name)).status, 200);
      assert.equal((await initiate(sandbox, { conversationId: `fault-${name}` })).status, status);
      const complete = await postJson(sandbox, '/upload/complete', { conversationId: `fault-${name}` });
      assert.equal(complete.status, status);
    }
  });

  it('initiate-evil-origin: points the signed URL elsewhere', async () => {
    assert.equal(new URL(await uploadUrlWith('initiate-evil-origin')).origin, 'https://evil.example');
  });

  it('storage-403, storage-expired, storage-status-NNN: reject the PUT in XML', async () => {
    for (const [name, status, code] of [
      ['storage-403', 403, 'SignatureDoesNotMatch'],
      ['storage-expired', 400, 'ExpiredToken'],
      ['storage-status-503', 503, 'SandboxFault'],
    ] as const) {
      const response = await put(await uploadUrlWith(name), SMALL, { Origin: 'https://app.example' });
      assert.deepEqual([response.status, /<Code>(\w+)/.exec(response.text)?.[1]], [status, code]);
      assert.equal(response.headers['access-control-allow-origin'], undefined);
    }
  });

  it('storage-reset and storage-refuse: break the connection of the PUT', async () => {
    for (const name of ['storage-reset', 'storage-refuse'] as const) {
      await assert.rejects(put(await uploadUrlWith(name), SMALL), { code: /ECONNRESET|EPIPE/ });
    }
    const url = await uploadUrlWith('storage-403');
    sandbox.fault = 'storage-refuse';
    await sandbox.ready();
    await assert.rejects(put(url, SMALL), { code: 'ECONNREFUSED' });
  });

  it('storage-never-answers and storage-stops-reading: store nothing', async () => {
    for (const name of ['storage-never-answers', 'storage-stops-reading'] as const) {
      const req = begin(await uploadUrlWith(name), {
        method: 'PUT',
        headers: { 'Content-Type': 'text/plain' },
      });
      req.on('error', () => {});
      req.end(SMALL);
      await sandbox.waitFor(
        (all) => all.at(-1)?.service === 'storage' && all.at(-1)?.bodyBytes === SMALL.length,
      );
      assert.equal(sandbox.requests.at(-1)?.status, null);
      req.destroy();
      sandbox.reset();
    }
  });

  it('storage-slow-headers and storage-slow-body: store it, but late', async () => {
    for (const name of ['storage-slow-headers', 'storage-slow-body'] as const) {
      const url = await uploadUrlWith(name);
      const startedAt = performance.now();
      assert.equal((await put(url, randomBytes(700_000))).status, 200);
      assert.ok(performance.now() - startedAt >= 45);
    }
  });

  it('happens once when its name says so', async () => {
    assert.equal((await uploadWith('once-status-503')).status, 503);
    assert.equal((await uploadWith('once-status-503')).status, 200);
    sandbox.fault = 'once-bad-token';
    assert.equal((await initiate(sandbox)).status, 401);
    assert.equal(sandbox.fault, null);
    assert.equal((await initiate(sandbox)).status, 200);
  });

  it('keeps to one endpoint when its name says so', async () => {
    assert.equal((await uploadWith('complete-status-502')).status, 200);
    assert.equal((await initiate(sandbox, { conversationId: 'fault-complete-status-502' })).status, 200);
    const complete = await postJson(sandbox, '/upload/complete', {
      conversationId: 'fault-complete-status-502',
    });
    assert.equal(complete.status, 502);
  });

  it('takes anything after an underscore as a mere label, and names unknown faults', async () => {
    assert.equal((await initiate(sandbox, { conversationId: 'fault-status-503_a1' })).status, 503);
    const unknown = await initiate(sandbox, { conversationId: 'fault-nonsense' });
    assert.deepEqual(
      [unknown.status, unknown.json.message],
      [500, 'The sandbox has no fault named "nonsense"'],
    );
    for (const name of [
      'nonsense',
      'status-NNN',
      'status-600',
      'once-',
      'upload-storage-403',
      'constructor',
    ]) {
      assert.equal(isFaultName(name), false, name);
    }
    assert.throws(() => {
      // @ts-expect-error -- JavaScript clients can still say it.
      sandbox.fault = 'nonsense';
    }, TypeError);
  });

  it('has a test here for every fault of the table', () => {
    assert.deepEqual(
      Object.keys(FAULTS).filter((name) => !tested.has(name)),
      [],
    );
  });
});

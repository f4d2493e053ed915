import assert from 'node:assert/strict';
import { checkFile, modesFor } from '../../client/file-check.ts';
import {
  type ClientConfig,
  createUploader,
  type UploadError,
  type UploadProgress,
} from '../../client/index.ts';
import { createErrorFactory } from '../../client/messages.ts';
import { CONFIG, FakePage, forwarded, IDS, QUICK, signed, textFile } from './fake-page.ts';

const errors = createErrorFactory({ language: 'en' });

describe('the modes that can carry a file', () => {
  it('depend on its size, each up to its limit', () => {
    const by = (size: number, channel?: string) => modesFor(size, { channel }, CONFIG);
    assert.deepEqual(by(1_000), ['forward', 'direct', 'relay']);
    assert.deepEqual(by(1_001), ['direct', 'relay']);
    assert.deepEqual(by(5_000), ['direct', 'relay']);
    assert.deepEqual(by(5_001), []);
    assert.deepEqual(by(200_000, 'whatsapp'), ['direct', 'relay']);
    assert.deepEqual(by(200_001, 'WHATSAPP'), []);
    assert.deepEqual(by(5_000, 'FAX'), ['direct', 'relay']);
    assert.deepEqual(by(5_001, ''), []);
  });

  it('are those that the server offers, or the one that is asked for', () => {
    const without = (...modes: ClientConfig['modes'][number][]): ClientConfig => ({ ...CONFIG, modes });
    assert.deepEqual(modesFor(2_000, {}, without('auto', 'forward')), []);
    assert.deepEqual(modesFor(500, {}, without('auto', 'forward')), ['forward']);
    assert.deepEqual(modesFor(500, {}, without('auto', 'forward', 'relay')), ['forward', 'relay']);
    assert.deepEqual(modesFor(500, { mode: 'relay' }, CONFIG), ['relay']);
    assert.deepEqual(modesFor(2_000, { mode: 'forward' }, CONFIG), []);
  });

  it('set the limit that a rejection names, with the channel', () => {
    const limitOf = (size: number, wish: Parameters<typeof checkFile>[1]) => {
      const error = checkFile(textFile('a.txt', size), wish, CONFIG, errors);
      return error && [error.code, error.details?.['limit'], error.details?.['channel']];
    };
    assert.equal(limitOf(5_000, {}), null);
    assert.deepEqual(limitOf(5_001, {}), ['FILE_TOO_LARGE', 5_000, 'SMS']);
    assert.equal(limitOf(1_000, { mode: 'forward' }), null);
    assert.deepEqual(limitOf(1_001, { mode: 'forward', channel: 'EMAIL' }), [
      'FILE_TOO_LARGE',
      1_000,
      'EMAIL',
    ]);
    const forwardOnly: ClientConfig = { ...CONFIG, modes: ['auto', 'forward'] };
    assert.equal(checkFile(textFile('a.txt', 1_001), {}, forwardOnly, errors)?.details?.['limit'], 1_000);
  });
});

describe('a name and a type that the client takes', () => {
  const codeOf = (name: string, type = 'text/plain', bytes = 1) =>
    checkFile(new File(['x'.repeat(bytes)], name, { type }), {}, CONFIG, errors)?.code;

  it('has 255 bytes at most, and is not empty once it is cleaned', () => {
    assert.equal(codeOf(`${'x'.repeat(251)}.txt`), undefined);
    assert.equal(codeOf(`${'x'.repeat(252)}.txt`), 'BAD_FILENAME');
    assert.equal(codeOf(`${'ñ'.repeat(126)}.txt`), 'BAD_FILENAME');
    for (const name of ['', ' . ', 'folder/', '\n']) assert.equal(codeOf(name), 'BAD_FILENAME', name);
    for (const name of [
      ' a.txt',
      'a.txt . ',
      'C:\\folder\\a.txt',
      '../a.txt',
      'a\n.txt',
      'A.TXT',
      'a.b.txt',
    ]) {
      assert.equal(codeOf(name), undefined, name);
    }
  });

  it('hides nothing: no direction marks, no broken characters, no stream beside a file', () => {
    for (const name of ['exe.\u202egpj.txt', 'a\ufffd.txt', 'a\ud800.txt', 'a.exe:.txt']) {
      assert.equal(codeOf(name), 'BAD_FILENAME', JSON.stringify(name));
    }
  });

  it('has an extension of the list, and content', () => {
    for (const name of ['a', '.txt', 'a.txt.exe', 'a.']) assert.equal(codeOf(name), 'TYPE_NOT_ALLOWED', name);
    assert.equal(codeOf('a.txt', 'text/plain', 0), 'EMPTY_FILE');
  });

  it('names a mode that is not on offer, before the size', () => {
    const forwardOnly: ClientConfig = { ...CONFIG, modes: ['auto', 'forward'] };
    for (const mode of ['direct', 'relay'] as const) {
      const error = checkFile(textFile('a.txt', 900_000), { mode }, forwardOnly, errors);
      assert.deepEqual(
        [error?.code, error?.status, error?.details?.['use']],
        ['DIRECT_UNAVAILABLE', 502, 'forward'],
      );
    }
    assert.equal(checkFile(textFile('a.txt', 1), { mode: 'forward' }, forwardOnly, errors), null);
  });
});

describe('an upload by the client', () => {
  let page: FakePage;
  beforeEach(() => {
    page = new FakePage();
  });
  afterEach(() => page[Symbol.dispose]());

  const rejection = (promise: Promise<unknown>): Promise<UploadError> =>
    promise.then(
      () => assert.fail('it was fulfilled'),
      (error: UploadError) => error,
    );
  const stored = { uploadedFiles: { 'a.txt': 'https://files.test/a.txt' } };
  const [initiate, complete] = ['POST /messages/upload/initiate', 'POST /messages/upload/complete'];
  const put = (ticket: string) => `PUT https://storage.test/${ticket}?signature=1`;

  /** Uploads by its own uploader; the server takes everything but what `respond` has dealt with. */
  function upload(
    bytes: number,
    respond: (line: string, request: (typeof page.requests)[number]) => boolean,
    options: Partial<Parameters<ReturnType<typeof createUploader>['upload']>[1]> = {},
    uploader = createUploader({ ...QUICK, retries: 0 }),
  ) {
    let tickets = 0;
    page.server = (request) => {
      const { line } = request;
      if (respond(line, request)) return;
      if (line === 'GET /config') request.respond(200, CONFIG);
      else if (line === initiate) request.respond(200, signed(`t${++tickets}`));
      else if (line === complete) request.respond(200, stored);
      else if (line.startsWith('PUT')) request.respond(200, '');
      else request.respond(200, forwarded());
    };
    return uploader.upload(textFile('a.txt', bytes), { ...IDS, ...options });
  }

  it('puts all that the server needs to decide before the file', async () => {
    await upload(10, () => false, { locationId: 'l1', channel: 'EMAIL' });
    const form = page.requests[1]?.body as FormData;
    const { name, size } = form.get('fileAttachment') as File;
    assert.deepEqual(
      [...form].map(([field, value]) => [field, typeof value === 'string' ? value : [name, size]]),
      [
        ['conversationId', 'c1'],
        ['contactId', 'k1'],
        ['locationId', 'l1'],
        ['channel', 'EMAIL'],
        ['fileSize', '10'],
        ['fileAttachment', ['a.txt', 10]],
      ],
    );
    await upload(10, () => false, { channel: '' });
    const fewer = page.requests[3]?.body as FormData;
    assert.deepEqual([...fewer.keys()], ['conversationId', 'contactId', 'fileSize', 'fileAttachment']);
  });

  it('names the mode where it is the only one allowed', async () => {
    for (const [mode, line] of [
      ['auto', 'POST /messages/upload'],
      ['forward', 'POST /messages/upload?mode=forward'],
      ['relay', 'POST /messages/upload?mode=relay'],
    ] as const) {
      const from = page.lines.length;
      await upload(10, () => false, { mode });
      assert.deepEqual(page.lines.slice(from), ['GET /config', line]);
    }
  });

  it('sends the first 64 KiB for a signed URL, completes with its ticket', async () => {
    const result = await upload(100_000, () => false, { channel: 'WHATSAPP' });
    assert.deepEqual(page.lines, ['GET /config', initiate, put('t1'), complete]);
    const form = page.requests[1]?.body as FormData;
    assert.equal((form.get('fileAttachment') as File).size, 65_536);
    assert.equal(form.get('fileSize'), '100000');
    assert.equal(page.requests[3]?.body, '{"ticket":"t1"}');
    assert.equal(page.requests[3]?.headers['Content-Type'], 'application/json');
    assert.equal(result.mode, 'direct');
    assert.equal(result.url, 'https://files.test/a.txt');
  });

  it('follows a server that sends it to storage after all', async () => {
    const modes: unknown[] = [];
    const result = await upload(
      10,
      (line, request) => {
        if (line !== 'POST /messages/upload') return false;
        request.respond(202, signed('given'));
        return true;
      },
      { onProgress: ({ mode, phase }) => modes.push(`${phase} ${mode}`) },
    );
    assert.equal(result.mode, 'direct');
    assert.deepEqual(page.lines, ['GET /config', 'POST /messages/upload', put('given'), complete]);
    assert.equal(modes.at(-1), 'done direct');
    assert.deepEqual(
      modes.filter((mode, place) => mode !== modes[place - 1]),
      [
        'waiting undefined',
        'checking undefined',
        'checking forward',
        'uploading forward',
        'checking forward',
        'checking direct',
        'uploading direct',
        'confirming direct',
        'done direct',
      ],
    );
  });

  it('is rejected when the server has lowered its limit while the file waited', async () => {
    const uploader = createUploader({ ...QUICK, retries: 0 });
    uploader.pause();
    const error = rejection(upload(2_000, () => false, {}, uploader));
    await page.tick(300_001);
    page.server = (request) =>
      request.respond(200, { ...CONFIG, limits: { forwardMaxBytes: 10, directMaxBytes: { default: 10 } } });
    uploader.resume();
    assert.equal((await error).code, 'FILE_TOO_LARGE');
    assert.deepEqual(page.lines, ['GET /config', 'GET /config']);
  });

  it('shows all of a file as sent while it is only completed again', async () => {
    const all: UploadProgress[] = [];
    let completions = 0;
    const uploader = createUploader({ ...QUICK, retries: 1, retryDelayMs: 100 });
    const end = upload(
      2_000,
      (line, request) => {
        if (line !== complete || ++completions > 1) return false;
        request.reject(502, 'UPSTREAM_ERROR', { retryable: true });
        return true;
      },
      { onProgress: (progress) => all.push(progress) },
      uploader,
    );
    await page.tick(100);
    await end;
    const from = all.findIndex(({ phase }) => phase === 'confirming');
    assert.deepEqual(
      all.slice(from).map(({ phase, fraction }) => `${phase} ${fraction}`),
      ['confirming 1', 'waiting 1', 'confirming 1', 'confirming 1', 'done 1'],
    );
  });

  it('is done with the whole file sent and no time left', async () => {
    const all: UploadProgress[] = [];
    await upload(10, () => false, { onProgress: (progress) => all.push(progress) });
    const { phase, fraction, loadedBytes, remainingMs, mode } = all.at(-1) as UploadProgress;
    assert.deepEqual(
      { phase, fraction, loadedBytes, remainingMs, mode },
      { phase: 'done', fraction: 1, loadedBytes: 10, remainingMs: 0, mode: 'forward' },
    );
  });

  it('fails when a success names no file', async () => {
    for (const response of [{}, { uploadedFiles: {} }, { uploadedFiles: { 'a.txt': '' } }]) {
      const error = await rejection(
        upload(10, (line, request) => {
          if (line !== 'POST /messages/upload') return false;
          request.respond(200, response);
          return true;
        }),
      );
      assert.deepEqual([error.code, error.status, error.retryable], ['UPSTREAM_ERROR', 200, false]);
    }
  });

  it('asks for another URL when storage fails once, relays when it fails twice', async () => {
    let failures = 0;
    const fail = (limit: number) => (line: string, request: (typeof page.requests)[number]) => {
      if (!line.startsWith('PUT') || failures >= limit) return false;
      failures += 1;
      request.lose();
      return true;
    };
    assert.equal((await upload(2_000, fail(1))).mode, 'direct');
    assert.deepEqual(page.lines, ['GET /config', initiate, put('t1'), initiate, put('t2'), complete]);
    const from = page.lines.length;
    failures = 0;
    const uploader = createUploader({ ...QUICK, retries: 0 });
    assert.equal((await upload(2_000, fail(2), {}, uploader)).mode, 'forward');
    const relay = 'POST /messages/upload?mode=relay';
    assert.deepEqual(page.lines.slice(from), [
      'GET /config',
      initiate,
      put('t1'),
      initiate,
      put('t2'),
      relay,
    ]);
    // Storage is left alone for five minutes, and tried again after that.
    await page.tick(299_000);
    await upload(2_000, fail(0), {}, uploader);
    assert.equal(page.lines.at(-1), relay);
    await page.tick(1_001);
    await upload(2_000, fail(0), {}, uploader);
    assert.equal(page.lines.at(-1), complete);
  });

  it('in direct mode fails when storage fails twice', async () => {
    const error = await rejection(
      upload(
        2_000,
        (line, request) => {
          if (line.startsWith('PUT')) request.respond(403, '<Error/>');
          return line.startsWith('PUT');
        },
        { mode: 'direct' },
      ),
    );
    assert.deepEqual([error.code, error.status, error.retryable], ['STORAGE_REFUSED', 403, false]);
    assert.equal((error.cause as UploadError).status, 403);
    assert.deepEqual(page.lines, ['GET /config', initiate, put('t1'), initiate, put('t2')]);
  });

  it('does not blame storage for a network that is gone', async () => {
    const end = rejection(
      upload(2_000, (line, request) => {
        if (!line.startsWith('PUT')) return false;
        page.isOnline = false;
        request.lose();
        return true;
      }),
    );
    for (let round = 0; round < 3; round += 1) await page.tick(60_000);
    // Each time it comes back with the URL that it has.
    assert.deepEqual(page.lines.slice(0, 5), ['GET /config', initiate, put('t1'), put('t1'), put('t1')]);
    page.server = (request) => request.reject(403, 'ORIGIN_NOT_ALLOWED');
    page.isOnline = true;
    await page.settle();
    for (let round = 0; round < 4; round += 1) await page.tick(60_000);
    await end;
  });

  it('uses a signed URL again only if a minute of it is left', async () => {
    for (const [leftMs, lines] of [
      [120_001, [initiate, put('t'), put('t')]],
      [119_999, [initiate, put('t'), initiate, put('t')]],
    ] as const) {
      const from = page.lines.length;
      let puts = 0;
      const end = upload(2_000, (line, request) => {
        if (line === initiate) request.respond(200, signed('t', Date.now() + leftMs));
        else if (line.startsWith('PUT') && ++puts === 1) {
          page.isOnline = false;
          request.lose();
        } else return false;
        return true;
      });
      await page.tick(60_000);
      await page.settle();
      page.isOnline = true;
      await end;
      assert.deepEqual(page.lines.slice(from), ['GET /config', ...lines, complete]);
    }
  });

  it('only completes again what is in storage already', async () => {
    let completions = 0;
    const attempts: number[] = [];
    const uploader = createUploader({ ...QUICK, retries: 2, retryDelayMs: 100 });
    const end = upload(
      2_000,
      (line, request) => {
        if (line !== complete || ++completions > 2) return false;
        request.reject(502, 'UPSTREAM_ERROR', { retryable: true });
        return true;
      },
      { onProgress: ({ attempt }) => attempts.push(attempt) },
      uploader,
    );
    await page.tick(100);
    await page.tick(200);
    await end;
    assert.deepEqual(page.lines, ['GET /config', initiate, put('t1'), complete, complete, complete]);
    assert.equal(attempts.at(-1), 1);
  });

  it('starts again when its ticket is lost, twice at most', async () => {
    for (const [status, code] of [
      [404, 'NOT_UPLOADED'],
      [410, 'TICKET_EXPIRED'],
      [403, 'TICKET_INVALID'],
    ] as const) {
      const from = page.lines.length;
      const error = await rejection(
        upload(2_000, (line, request) => {
          if (line === complete) request.reject(status, code);
          return line === complete;
        }),
      );
      assert.equal(error.code, code);
      const round = (ticket: string) => [initiate, put(ticket), complete];
      assert.deepEqual(page.lines.slice(from), [
        'GET /config',
        ...round('t1'),
        ...round('t2'),
        ...round('t3'),
      ]);
    }
  });

  it('does not start again for any other error of completing', async () => {
    const error = await rejection(
      upload(2_000, (line, request) => {
        if (line === complete) request.reject(400, 'UPSTREAM_REJECTED');
        return line === complete;
      }),
    );
    assert.equal(error.code, 'UPSTREAM_REJECTED');
    assert.deepEqual(page.lines, ['GET /config', initiate, put('t1'), complete]);
  });

  it('forwards where no signed URL is to be had, and asks once only', async () => {
    const deny = (line: string, request: (typeof page.requests)[number]) => {
      if (line === initiate) request.reject(502, 'DIRECT_UNAVAILABLE', { details: { use: 'forward' } });
      return line === initiate;
    };
    const uploader = createUploader({ ...QUICK, retries: 0 });
    assert.equal((await upload(2_000, deny, {}, uploader)).mode, 'forward');
    const config = 'GET /config';
    assert.deepEqual(page.lines, [config, initiate, config, 'POST /messages/upload']);
    // Larger than all limits: the server alone knows what it forwards now.
    assert.equal((await upload(6_000, deny, {}, uploader)).mode, 'forward');
    assert.deepEqual(page.lines.slice(4), ['POST /messages/upload']);
    // Another location has its own token.
    assert.equal((await upload(2_000, deny, { locationId: 'l2' }, uploader)).mode, 'forward');
    assert.deepEqual(page.lines.slice(5, 6), [initiate]);
    // What is named is not replaced.
    const error = await rejection(upload(2_000, deny, { mode: 'direct' }, uploader));
    assert.equal(error.code, 'DIRECT_UNAVAILABLE');
  });

  it('fails when forwarding is not possible either, and asks no further', async () => {
    const error = await rejection(
      upload(2_000, (line, request) => {
        if (line === 'GET /config') return false;
        request.reject(502, 'DIRECT_UNAVAILABLE');
        return true;
      }),
    );
    assert.equal(error.code, 'DIRECT_UNAVAILABLE');
    assert.deepEqual(page.lines, ['GET /config', initiate, 'GET /config', 'POST /messages/upload']);
  });

  it('asks with the first bytes why a connection was lost', async () => {
    const lose = (code: string | null) => (line: string, request: (typeof page.requests)[number]) => {
      if (!line.startsWith('POST /messages/upload?mode=relay')) return false;
      const { size } = (request.body as FormData).get('fileAttachment') as File;
      if (size > 65_536) request.lose();
      else if (code === null) request.lose();
      else request.reject(400, code);
      return true;
    };
    for (const [code, heard] of [
      ['TYPE_MISMATCH', 'TYPE_MISMATCH'],
      ['SIZE_MISMATCH', 'NETWORK'],
      ['DIRECT_UNAVAILABLE', 'NETWORK'],
      [null, 'NETWORK'],
    ] as const) {
      const from = page.lines.length;
      const error = await rejection(upload(65_537, lose(code), { mode: 'relay', channel: 'WHATSAPP' }));
      assert.equal(error.code, heard, `${code}`);
      assert.equal(page.lines.length - from, 3);
    }
    // A file of that size has been sent whole already.
    const from = page.lines.length;
    await rejection(
      upload(
        65_536,
        (line, request) => {
          if (line.startsWith('POST')) request.lose();
          return line.startsWith('POST');
        },
        { mode: 'relay', channel: 'WHATSAPP' },
      ),
    );
    assert.equal(page.lines.length - from, 2);
  });

  it('does not ask with the first bytes where the server has said what is the matter', async () => {
    await rejection(
      upload(
        70_000,
        (line, request) => {
          if (line.startsWith('POST')) request.reject(415, 'TYPE_MISMATCH');
          return line.startsWith('POST');
        },
        { mode: 'relay', channel: 'WHATSAPP' },
      ),
    );
    assert.equal(page.lines.length, 2);
  });
});

describe('what the server takes', () => {
  let page: FakePage;
  beforeEach(() => {
    page = new FakePage();
  });
  afterEach(() => page[Symbol.dispose]());

  it('is asked for once by however many uploads, and again after five minutes', async () => {
    const uploader = createUploader();
    const both = Promise.all([uploader.config(), uploader.config()]);
    (await page.next()).respond(200, CONFIG);
    assert.deepEqual(await both, [CONFIG, CONFIG]);
    await page.tick(300_000);
    await uploader.config();
    assert.equal(page.requests.length, 1);
    await page.tick(1);
    const again = uploader.config();
    (await page.next()).respond(200, { ...CONFIG, maxFiles: 9 });
    assert.equal((await again).maxFiles, 9);
  });

  it('is asked for again when that failed', async () => {
    const uploader = createUploader();
    const failure = uploader.config().catch((error: UploadError) => error.code);
    (await page.next()).reject(503, 'DRAINING');
    assert.equal(await failure, 'DRAINING');
    const again = uploader.config();
    (await page.next()).respond(200, CONFIG);
    assert.deepEqual(await again, CONFIG);
  });

  it('is not withheld from the others by one that is cancelled', async () => {
    const uploader = createUploader();
    const cancel = new AbortController();
    const cancelled = uploader.upload(textFile('a.txt', 10), { ...IDS, signal: cancel.signal });
    const other = uploader.config();
    const request = await page.next();
    cancel.abort(new Error('changed my mind'));
    await assert.rejects(cancelled, { message: 'changed my mind' });
    assert.equal(request.isAborted, false);
    request.respond(200, CONFIG);
    assert.deepEqual(await other, CONFIG);
  });

  it('decides on files before they are sent', async () => {
    page.server = (request) => request.respond(200, CONFIG);
    const uploader = createUploader(QUICK);
    const [small, large] = [textFile('a.txt', 10), textFile('a.txt', 5_001)];
    await uploader.check(small);
    await assert.rejects(uploader.check(large), { code: 'FILE_TOO_LARGE' });
    await assert.rejects(uploader.check(textFile('a.exe', 1)), { code: 'TYPE_NOT_ALLOWED' });
    const results = await uploader.check([small, large, small, textFile('a.exe', 1)]);
    assert.deepEqual(
      results.map((error) => error?.code ?? 'ok'),
      ['ok', 'FILE_TOO_LARGE', 'ok', 'TYPE_NOT_ALLOWED'],
    );
    assert.deepEqual(await uploader.check([]), []);
    assert.equal(page.requests.length, 1);
  });

  it('rejects a file at once though the queue is full', async () => {
    const uploader = createUploader({ ...QUICK, concurrency: 1 });
    uploader.pause();
    page.server = (request) => request.respond(200, CONFIG);
    await assert.rejects(uploader.upload(textFile('a.exe', 1), IDS), { code: 'TYPE_NOT_ALLOWED' });
    assert.equal(page.requests.length, 1);
  });
});

describe('the uploads of one uploader', () => {
  let page: FakePage;
  beforeEach(() => {
    page = new FakePage();
    page.server = (request) => {
      if (request.line === 'GET /config') request.respond(200, CONFIG);
    };
  });
  afterEach(() => page[Symbol.dispose]());

  const files = ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt'].map((name) => textFile(name, 10));
  const fileOf = (body: unknown) => ((body as FormData).get('fileAttachment') as File).name;

  it('are three at once, and a next one begins when one has ended, well or not', async () => {
    const all = createUploader({ ...QUICK, retries: 0 }).uploadAll(files, IDS);
    await page.settle();
    const inFlight = () => page.requests.slice(1);
    assert.deepEqual(
      inFlight().map(({ body }) => fileOf(body)),
      ['a.txt', 'b.txt', 'c.txt'],
    );
    inFlight()[1]?.respond(200, forwarded('b.txt'));
    await page.settle();
    assert.equal(inFlight().length, 4);
    inFlight()[0]?.reject(415, 'TYPE_MISMATCH');
    await page.settle();
    assert.equal(inFlight().length, 5);
    for (const place of [2, 3, 4]) inFlight()[place]?.respond(200, forwarded());
    const ends = await all;
    assert.deepEqual(
      ends.map((end) => (end.status === 'rejected' ? end.reason.code : end.value.name)),
      ['TYPE_MISMATCH', 'b.txt', 'a.txt', 'a.txt', 'a.txt'],
    );
  });

  it('are given back in the order of the files, or the first error once all have ended', async () => {
    const uploader = createUploader({ ...QUICK, retries: 0 });
    const good = uploader.upload(files.slice(0, 2), IDS);
    await page.settle();
    page.requests[2]?.respond(200, forwarded('b.txt'));
    page.requests[1]?.respond(200, forwarded());
    assert.deepEqual(
      (await good).map(({ name }) => name),
      ['a.txt', 'b.txt'],
    );
    const bad = uploader.upload(files.slice(0, 3), IDS);
    let isOver = false;
    bad.catch(() => {
      isOver = true;
    });
    await page.settle();
    page.requests[4]?.reject(415, 'TYPE_MISMATCH');
    page.requests[3]?.reject(400, 'INVALID_FIELD');
    await page.settle();
    assert.equal(isOver, false, 'one is in flight');
    page.requests[5]?.respond(200, forwarded('c.txt'));
    await assert.rejects(bad, { code: 'INVALID_FIELD' });
  });

  it('wait while the queue is paused, and go on after that', async () => {
    const uploader = createUploader({ ...QUICK, concurrency: 1 });
    uploader.pause();
    const both = uploader.upload(files.slice(0, 2), IDS);
    await page.settle();
    assert.equal(page.requests.length, 1);
    uploader.resume();
    await page.settle();
    assert.equal(page.requests.length, 2);
    page.requests[1]?.respond(200, forwarded());
    await page.settle();
    page.requests[2]?.respond(200, forwarded('b.txt'));
    assert.equal((await both).length, 2);
  });

  it('of no file at all are an error, and nothing is settled', async () => {
    const uploader = createUploader(QUICK);
    await assert.rejects(uploader.upload([], IDS), { code: 'NO_FILE', status: 400 });
    assert.deepEqual(await uploader.uploadAll([], IDS), []);
  });

  it('do not hide a fault of the page’s own', async () => {
    const onProgress = () => {
      throw new TypeError('broken listener');
    };
    await assert.rejects(createUploader(QUICK).uploadAll(files, { ...IDS, onProgress }), TypeError);
  });

  it('ask nothing of the server once they are cancelled, and say that they wait at once', async () => {
    const signal = AbortSignal.abort(new Error('changed my mind'));
    await assert.rejects(createUploader(QUICK).upload(textFile('a.txt', 1), { ...IDS, signal }), /changed/);
    await page.settle();
    assert.deepEqual(page.lines, []);
    const phases: string[] = [];
    const onProgress = ({ phase }: UploadProgress) => phases.push(phase);
    void createUploader(QUICK).upload(textFile('a.txt', 1), { ...IDS, onProgress });
    assert.deepEqual(phases, ['waiting']);
  });

  it('that leave the queue take no other’s turn', async () => {
    const uploader = createUploader({ ...QUICK, concurrency: 1 });
    const cancel = new AbortController();
    const [first, second, third] = files.map((file, place) =>
      uploader
        .upload(file, { ...IDS, ...(place === 1 && { signal: cancel.signal }) })
        .catch((error: Error) => error.message),
    );
    await page.settle();
    cancel.abort(new Error('changed my mind'));
    assert.equal(await second, 'changed my mind');
    page.requests[1]?.respond(200, forwarded());
    await first;
    await page.settle();
    assert.equal(page.requests.length, 3);
    assert.equal(fileOf(page.requests[2]?.body), 'c.txt');
    page.requests[2]?.respond(200, forwarded('c.txt'));
    await third;
  });

  it('can be distinguished in what is reported of a cancelled one', async () => {
    const cancel = new AbortController();
    const all = createUploader(QUICK).uploadAll(files.slice(0, 2), { ...IDS, signal: cancel.signal });
    await page.settle();
    page.requests[1]?.respond(200, forwarded());
    await page.settle();
    cancel.abort(new Error('changed my mind'));
    const [done, cancelled] = await all;
    assert.equal(done?.status, 'fulfilled');
    assert(cancelled?.status === 'rejected');
    const { code, message, cause } = cancelled.reason;
    assert.deepEqual([code, message, cause], ['ABORTED', 'Error: changed my mind', cancel.signal.reason]);
    await assert.rejects(
      createUploader(QUICK).upload(files, { ...IDS, signal: cancel.signal }),
      cancel.signal.reason as Error,
    );
  });
});

import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createLogger } from '../../server/logger.ts';
import { LogSink } from '../helpers/log-sink.ts';
import { fixture } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, settled } from '../helpers/test-server.ts';
import { dial } from './http/wire.ts';

const SECRET = 'pit-0123456789';

async function logged(write: (logger: Awaited<ReturnType<typeof createLogger>>) => void) {
  const sink = new LogSink();
  write(await createLogger({ level: 'trace', destination: sink }));
  return sink;
}

describe('the logger', () => {
  it('writes one JSON object a line, with the level by its name and no host or pid', async () => {
    const sink = await logged((logger) => logger.warn({ a: 1 }, 'hello'));
    const [{ time, ...rest } = {}] = sink.entries;
    assert.deepEqual(rest, { level: 'warn', a: 1, msg: 'hello' });
    assert.match(String(time), /^\d{4}-/);
  });

  it('keeps to its level', async () => {
    const sink = new LogSink();
    const logger = await createLogger({ level: 'warn', destination: sink });
    logger.info('no');
    logger.error('yes');
    assert.deepEqual(
      sink.entries.map(({ msg }) => msg),
      ['yes'],
    );
  });

  it('censors what comes under the name of a secret', async () => {
    const headers = { authorization: 'abc', cookie: 'abc', 'set-cookie': ['abc'], 'upload-ticket': 'abc' };
    const sink = await logged((logger) =>
      logger.info({ headers, token: 'abc', ticket: 'abc', uploadUrl: 'abc' }),
    );
    assert.doesNotMatch(sink.lines.join(''), /abc/);
  });

  it('takes secrets out of every string, message and error, however deep', async () => {
    const cause = new Error(`cause ${SECRET}`);
    const err = Object.assign(new Error(`outer ${SECRET}`, { cause }), { code: 'ECODE' });
    const sink = await logged((logger) => {
      logger.info({ a: { b: { c: [`x ${SECRET}`] } } }, `message ${SECRET}`);
      logger.child({ url: `https://a.example/b?${SECRET}` }).error({ err });
      logger.error({ err: `thrown text ${SECRET}` });
    });
    assert.equal(sink.entries.length, 3);
    assert.doesNotMatch(sink.lines.join(''), /pit-/);
    const { err: shown } = sink.entries[1] as { err: Record<string, unknown> };
    assert.equal(shown['code'], 'ECODE');
    assert.equal((shown['cause'] as Record<string, unknown>)['message'], 'cause [secret]');
  });
});

describe('standard output', () => {
  const logOne = `
    import { createLogger } from './server/logger.ts';
    createLogger({ level: 'info' }).info('started');`;
  const run = (rest: string): ChildProcessByStdio<null, Readable, null> =>
    spawn(process.execPath, ['--input-type=module', '-e', `${logOne}${rest}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  it('gets a line although no other follows', async () => {
    const child = run('setInterval(() => {}, 60_000);');
    const [line] = await once(child.stdout, 'data');
    assert.match(String(line), /"msg":"started"/);
    child.kill();
    await once(child, 'exit');
  });

  it('has every line when the process ends by itself, and when it is ended at once', async () => {
    for (const rest of ['', 'process.exit(3);']) {
      const lines = await text(run(rest).stdout);
      assert.match(lines, /"msg":"started"/);
    }
  });

  it('has the last line when the process is ended while earlier ones are still being written', async () => {
    const rest = `
      const log = createLogger({ level: 'info' });
      log.info('x'.repeat(10_000));
      log.info('last');
      process.exit(3);`;
    for (let time = 0; time < 5; time += 1) assert.match(await text(run(rest).stdout), /"msg":"last"/);
  });
});

describe('standard output on a disk that is full', () => {
  it('loses lines and does not end the process', async () => {
    const full = openSync('/dev/full', 'w');
    const code = `import { createLogger } from './server/logger.ts';
      const log = createLogger({ level: 'info' });
      log.info('x'.repeat(10_000));
      process.stdin.once('end', () => { log.info('lost'); process.exitCode = 3; }).once('data', () => {
        log.info('x'.repeat(10_000));
      });
      process.stderr.write('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['pipe', full, 'pipe'],
    });
    closeSync(full);
    assert(child.stdin !== null && child.stderr !== null);
    const exited = once(child, 'exit');
    await once(child.stderr, 'data');
    child.stdin.write('more');
    child.stdin.end();
    assert.deepEqual(await exited, [3, null]);
  });
});

describe('standard output without a reader', () => {
  for (const rest of ['process.exit(3);', 'process.exitCode = 3;']) {
    it(`does not keep the process from ending: ${rest}`, async () => {
      const lines = `log.info('unread'); ${rest}`;
      const child = spawn(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `import { createLogger } from './server/logger.ts';
          process.stdout.on('error', () => {});
          const log = createLogger({ level: 'info' });
          log.info('started');
          process.stdin.once('end', () => { ${lines} }).resume();`,
        ],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      );
      const exited = once(child, 'exit');
      await once(child.stdout, 'data');
      child.stdout.destroy();
      child.stdin.end();
      assert.deepEqual(await exited, [3, null]);
    });
  }
});

describe('secrets in the logs and responses of the whole test server', () => {
  it('are nowhere, whatever goes wrong, at level trace', async () => {
    const token = 'opaque-token-of-no-known-form';
    await using testServer = await createTestServer({
      env: { UPSTREAM_TIMEOUT_MS: '150' },
      sandbox: { token },
    });
    const responses: string[] = [];
    const cookie = 'session=caller-cookie-value';
    const direct = await sendUpload(
      testServer,
      [...textParts(testServer.fields), filePart('picture.png', fixture('picture.png'))],
      { query: '?mode=direct' },
    );
    const { ticket = '', uploadUrl = '' } = direct.body as { ticket?: string; uploadUrl?: string };
    assert(ticket !== '' && uploadUrl !== '');
    const faults = [
      'leaky',
      'bad-token',
      'no-scope',
      'html',
      'bad-json',
      'cut',
      'refuse',
      'never-answers',
      'status-500',
      'status-302',
      'early-401',
      'initiate-evil-origin',
      'storage-403',
      'storage-expired',
      'storage-refuse',
      'storage-reset',
      'complete-status-500',
      'auth-class', // the last: no direct upload is asked for after it
    ];
    for (const fault of faults) {
      for (const query of ['?mode=forward', '?mode=relay', '?mode=direct']) {
        const fields = { ...testServer.fields, conversationId: `fault-${fault}` };
        const response = await sendUpload(
          testServer,
          [...textParts(fields), filePart('picture.png', fixture('picture.png'))],
          { query, headers: { Cookie: cookie, Authorization: 'Bearer caller-bearer-value' } },
        );
        // A success is where a file's URL, or a signed one and its ticket, belong.
        if (response.status >= 400) responses.push(response.text, JSON.stringify(response.headers));
      }
    }
    using wire = await dial(
      testServer.url,
      `PUT /api/messages/upload/content?${new URL(uploadUrl).search.slice(1)} HTTP/1.1\r\nHost: test\r\nUpload-Ticket: ${ticket}x\r\nContent-Length: 0\r\n\r\n` +
        `GET /${ticket} HTTP/1.1\r\nHost: test\r\nCookie: ${cookie}\r\n\r\n` +
        `GET /Bearer%20path-bearer-value HTTP/1.1\r\nHost: test\r\n\r\n`,
    );
    responses.push((await wire.response()).body, (await wire.response()).body, (await wire.response()).body);
    await settled(
      () =>
        testServer.log.entries.filter(({ status }) => status !== undefined).length >= faults.length * 3 + 4,
      'every request has its line',
    );

    const signature = new URL(uploadUrl).searchParams.get('X-Goog-Signature') ?? 'none';
    const secrets = [
      token,
      ticket,
      ticket.slice(0, 60),
      signature,
      'X-Goog-Signature=0',
      'caller-',
      'path-bearer',
    ];
    for (const secret of secrets) {
      for (const text of [...testServer.log.lines, ...responses]) {
        assert(!text.includes(secret), `${secret.slice(0, 20)} is in ${text}`);
      }
    }
    for (const text of responses) assert.doesNotMatch(text, /10\.23\.45\.67|127\.0\.0\.1/);
  });
});

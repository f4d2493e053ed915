import assert from 'node:assert/strict';
import { read } from '../documents/documents.ts';
import { type Authority, createAuthority } from '../helpers/certificates.ts';
import { createFakeLeadway } from '../helpers/fake-leadway.ts';
import { freePort } from '../helpers/free-port.ts';
import { encodeForm, FORM_TYPE, fixture, mp4 } from '../helpers/multipart.ts';
import { findProgram, needsPrograms } from '../helpers/programs.ts';
import { needsRedis, startRedis } from '../helpers/redis.ts';
import { filePart, type SendOptions, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';
import { startProgram as startProgramWith } from '../helpers/upstream-program.ts';
import { PROXIES } from '../proxies/proxies.ts';
import { startProxy } from '../proxies/running-proxy.ts';
import { dial } from '../server/http/wire.ts';
import { startProgram, startSandboxed } from '../server/program.ts';

/** A row of the page. */
interface Row {
  /** Status and code of the response, as `502 UPSTREAM_AUTH`. */
  readonly response: string;
  /** What is in a line of the log. */
  readonly log: string;
  /** Status, and what is in a reason or notice. */
  readonly readyz: string;
}

const quoted = (cell: string): string => /"([^"]+)"/.exec(cell)?.[1] ?? '';

const ROWS = new Map<string, Row>(
  [...read('docs/deployment/runbook.md').matchAll(/^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|/gm)]
    .slice(2) // the head
    .map(([, symptom = '', response = '', log = '', readyz = '']) => [
      symptom,
      { response: response.replaceAll('`', ''), log: quoted(log) || log, readyz },
    ]),
);

function rowOf(symptom: string): Row {
  const row = ROWS.get(symptom);
  assert(row !== undefined, symptom);
  return row;
}

async function uploadTo(server: TestServer, options: SendOptions = {}): Promise<string> {
  const parts = [...textParts(server.fields), filePart('a.png', fixture('picture.png'), 'image/png')];
  const { status, body } = await sendUpload(server, parts, options);
  return status === 200 ? '200' : `${status} ${body.code}`;
}

const seenBy = ({ url, log }: TestServer) => ({ url, lines: () => log.lines });

/** Asserts what the log and the readiness probe show; the test itself compares the response. */
async function assertSeen(
  { url, lines }: { readonly url: string; readonly lines: () => readonly string[] },
  row: Row,
): Promise<void> {
  await settled(() => lines().some((line) => line.includes(row.log)), `logged: ${row.log}`);
  const response = await fetch(`${url}/readyz`);
  const { reasons, notices } = (await response.json()) as Readonly<Record<'reasons' | 'notices', string[]>>;
  const shown = [...reasons, ...notices].join(' ');
  assert.equal(String(response.status), /^\d+/.exec(row.readyz)?.[0]);
  assert(shown.includes(quoted(row.readyz)), shown);
  assert.equal(shown === '', quoted(row.readyz) === '', shown);
}

describe('docs/deployment/runbook.md says what appears', () => {
  it('when the token was revoked', async () => {
    const row = rowOf('The token was revoked');
    await using server = await createTestServer({ env: { LEADWAY_TOKEN: 'a-revoked-token' } });
    assert.equal(await uploadTo(server), row.response);
    await assertSeen(seenBy(server), row);
  });

  it('when Leadway can’t be reached, and when it can again', async () => {
    const row = rowOf('Leadway is down, or not reachable from here');
    await using server = await createTestServer();
    server.sandbox.fault = 'refuse';
    await server.sandbox.ready();
    assert.equal(await uploadTo(server), row.response);
    await assertSeen(seenBy(server), row);
    server.sandbox.fault = null;
    await server.sandbox.ready();
    assert.equal(await uploadTo(server), '200');
    await settled(() => server.log.lines.some((line) => line.includes('can be reached again')), 'it ends');
  });

  describe('with certificates', () => {
    let authority: Authority;
    before(function () {
      needsPrograms(this, 'openssl');
      authority = createAuthority();
    });
    after(() => authority?.[Symbol.dispose]());

    it('when a certificate has expired', async () => {
      const row = rowOf('A certificate has expired');
      await using leadway = await createFakeLeadway(() => assert.fail(), authority.issue('localhost', -1));
      await using program = await startProgramWith(leadway.url, { NODE_EXTRA_CA_CERTS: authority.file });
      const { status, body } = await program.upload();
      assert.equal(`${status} ${body.code}`, row.response);
      await assertSeen(
        { url: program.url, lines: () => program.log.map((line) => JSON.stringify(line)) },
        row,
      );
    });
  });

  it('when Leadway responds with errors', async () => {
    const row = rowOf('Leadway responds with errors');
    await using server = await createTestServer();
    server.sandbox.fault = 'status-500';
    assert.equal(await uploadTo(server), row.response);
    await assertSeen(seenBy(server), row);
  });

  it('when Leadway’s rate limit is used up', async () => {
    const row = rowOf("Leadway's rate limit is used up");
    await using server = await createTestServer({
      sandbox: { rateLimit: { max: 1, intervalMs: 10_000, daily: 1_000 } },
    });
    assert.equal(await uploadTo(server), '200');
    assert.equal(await uploadTo(server), row.response);
    await assertSeen(seenBy(server), row);
  });

  describe('with Redis', function suite() {
    needsRedis(this);

    it('when Redis is down', async () => {
      const row = rowOf('Redis is down');
      await using redis = await startRedis();
      await using server = await createTestServer({
        env: { REDIS_URL: redis.url, TICKET_SECRETS: 'x'.repeat(40) },
      });
      await settled(() => server.server.context.sharedStore?.isUp === true, 'Redis is there');
      await redis.kill();
      await settled(() => server.log.lines.some((line) => line.includes(row.log)), 'it is noticed');
      assert.equal(await uploadTo(server), row.response);
      await assertSeen(seenBy(server), row);
    });
  });

  it('when clamd is down', async () => {
    const row = rowOf('clamd is down');
    await using server = await createTestServer({
      env: { CLAMAV_URL: `tcp://127.0.0.1:${await freePort()}` },
    });
    assert.equal(await uploadTo(server), row.response);
    await assertSeen(seenBy(server), row);
  });

  it('when all uploads of a page fail', async () => {
    const row = rowOf('All uploads of a page fail');
    await using server = await createTestServer();
    const headers = { Origin: 'https://page.example.com', 'Sec-Fetch-Site': 'cross-site' };
    assert.equal(await uploadTo(server, { headers }), row.response);
    await assertSeen(seenBy(server), row);
    const line = server.log.entries.find(({ code }) => code === 'ORIGIN_NOT_ALLOWED');
    assert.equal(line?.['fix'], 'ALLOWED_ORIGINS=https://page.example.com');
  });

  describe('behind nginx', () => {
    before(function () {
      needsPrograms(this, 'nginx', 'openssl');
    });

    it('when the server behind it does not run', async () => {
      const row = rowOf('502 from the proxy, as HTML');
      const [nginx] = PROXIES;
      assert(nginx?.program === 'nginx');
      await using proxy = await startProxy(nginx, `http://127.0.0.1:${await freePort()}`, false);
      const response = await fetch(`${proxy.url}/api/messages/upload`, { method: 'POST' });
      assert.equal(String(response.status), row.response);
      assert.match(response.headers.get('content-type') ?? '', /html/);
      assert.equal(row.log, 'nothing here');
    });
  });

  it('while a replica stops', async () => {
    const row = rowOf('503 while a replica stops');
    const { program, url } = await startSandboxed({ ADMIN_PORT: '0' });
    await using _ = program;
    const [, admin = ''] = await program.until(/metrics are at (http:[^"]+)\/metrics/);
    const [, conversationId = '', contactId = ''] = await program.until(
      /conversationId=(\w+) -F contactId=(\w+)/,
    );
    const parts = [...textParts({ conversationId, contactId }), filePart('film.mp4', mp4(700_000))];
    const form = encodeForm(parts);
    const head = (path: string, rest = ''): string => `${path} HTTP/1.1\r\nHost: localhost\r\n${rest}\r\n`;
    using wire = await dial(
      url,
      head(
        'POST /api/messages/upload',
        `Content-Type: ${FORM_TYPE}\r\nContent-Length: ${form.length}\r\nExpect: 100-continue\r\n`,
      ),
    );
    await wire.interim();
    program.child.kill('SIGTERM');
    await program.until(new RegExp(row.log));
    const response = await fetch(`${admin}/readyz`);
    const { reasons } = (await response.json()) as { reasons: string[] };
    assert.equal(`${response.status}, "${reasons}"`, row.readyz);
    wire.send(form);
    wire.send(head('GET /api/config'));
    assert.equal((await wire.response()).status, 200);
    const rejected = await wire.response();
    const { code } = JSON.parse(rejected.body) as { code: string };
    assert.equal(`${rejected.status} ${code}`, row.response);
    assert.equal((await program.ended).code, 0);
  });

  it('when all slots are taken', async () => {
    const row = rowOf('503 under load');
    await using server = await createTestServer({ env: { MAX_CONCURRENT_UPLOADS: '1' } });
    server.sandbox.fault = 'slow-headers';
    const responses = await Promise.all([uploadTo(server), uploadTo(server)]);
    assert(responses.includes(row.response), responses.join());
    await assertSeen(seenBy(server), row);
  });

  it('when the server does not start', async () => {
    const row = rowOf('The server does not start, exit code 78');
    assert.equal(row.log, 'one line for each setting');
    await using program = startProgram({ env: { PORT: 'eighty', MAX_FILES: '0' } });
    assert.equal((await program.ended).code, 78);
    assert.match(program.stderr, /^PORT: .*\nMAX_FILES: /);
  });

  it('when the disk is full: nothing, since no file is written', async function () {
    needsPrograms(this, 'prlimit');
    // With a limit of nothing, any write to a file ends the process.
    await using program = startProgram({
      env: { SANDBOX: 'on' },
      under: [findProgram('prlimit') ?? '', '--fsize=0'],
    });
    const [, url = ''] = await program.until(/^page +(http:\/\/\S+)\/$/m);
    const [, conversationId = '', contactId = ''] = await program.until(
      /conversationId=(\w+) -F contactId=(\w+)/,
    );
    for (const bytes of [10_000, 2_000_000]) {
      const parts = [...textParts({ conversationId, contactId }), filePart('film.mp4', mp4(bytes))];
      const request = fetch(`${url}/api/messages/upload`, {
        method: 'POST',
        headers: { 'Content-Type': FORM_TYPE },
        body: new Uint8Array(encodeForm(parts)),
      });
      assert.equal((await request).status, 200);
    }
  });

  it('in each of its rows, by a test of this file', () => {
    const source = read('test/deploy/runbook.test.ts');
    assert(ROWS.size > 10);
    for (const symptom of ROWS.keys())
      assert(new RegExp(`rowOf\\(['"]${symptom}['"]\\)`).test(source), symptom);
  });
});

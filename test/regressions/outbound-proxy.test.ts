import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Authority, createAuthority } from '../helpers/certificates.ts';
import { createFakeLeadway, type FakeLeadway } from '../helpers/fake-leadway.ts';
import { createForwardProxy } from '../helpers/forward-proxy.ts';
import { freePort } from '../helpers/free-port.ts';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { findProgram, needsPrograms } from '../helpers/programs.ts';
import { createTempFile } from '../helpers/temp-file.ts';
import { settled } from '../helpers/test-server.ts';
import {
  callsOf,
  createWholeLeadway,
  PROGRAM_TOKEN,
  type Program,
  startProgram,
} from '../helpers/upstream-program.ts';

const LEADWAY = 'https://leadway.test';
const CREDENTIALS = 'user:hush-hush';

const portOf = ({ url }: { readonly url: string }): number => Number(new URL(url).port);
const sentences = (program: Program, level: string): string[] =>
  program.log.filter((entry) => entry['level'] === level).map(({ msg }) => String(msg));

describe('a network that programs leave by a proxy only', () => {
  let authority: Authority;
  let leadway: FakeLeadway;
  before(async function () {
    needsPrograms(this, 'openssl');
    authority = createAuthority();
  });
  beforeEach(async () => {
    leadway = await createWholeLeadway(authority.issue('leadway.test'), LEADWAY);
  });
  afterEach(() => leadway[Symbol.asyncDispose]());
  after(() => authority?.[Symbol.dispose]());

  const openProxy = (credentials?: string) =>
    createForwardProxy({
      hosts: { 'leadway.test:443': portOf(leadway) },
      ...(credentials !== undefined && { credentials }),
    });
  const trusted = () => ({ NODE_EXTRA_CA_CERTS: authority.file });

  it('lets every kind of call out through HTTPS_PROXY, with its password, and says so at start', async () => {
    await using proxy = await openProxy(CREDENTIALS);
    await using program = await startProgram(LEADWAY, {
      ...trusted(),
      HTTPS_PROXY: proxy.url,
      PASSTHROUGH: 'GET /conversations/:id',
    });
    for (const query of ['', '?mode=forward', '?mode=relay']) {
      const content = query === '?mode=forward' ? mp4(600_000) : fixture('picture.png');
      const { status, body } = await program.upload(query, content);
      assert.equal(status, 200, JSON.stringify(body));
    }
    const { ticket = '' } = (await program.upload('?mode=direct')).body;
    const stored = await fetch(`${program.url}/api/messages/upload/content`, {
      method: 'PUT',
      headers: { 'Upload-Ticket': ticket, 'Content-Type': 'image/png' },
      body: new Uint8Array(fixture('picture.png')),
    });
    assert.equal(stored.status, 204);
    assert.equal((await fetch(`${program.url}/api/conversations/1`)).status, 200);
    assert.equal(callsOf(leadway).length, 8, leadway.calls.join('\n'));
    assert(proxy.seen.length > 0 && proxy.seen.every((what) => what === 'CONNECT leadway.test:443'));
    assert(proxy.seen.length < leadway.calls.length, 'tunnels are used again');
    assert(
      sentences(program, 'info').includes(`Leadway is reached through the proxy http://${proxy.host}`),
      'the start tells',
    );
    assert.doesNotMatch(JSON.stringify(program.log), /hush/);
    assert.deepEqual((await program.readiness()).notices, []);
  });

  it('lets the keys of a token issuer in by the same proxy', async () => {
    await using issuer = await createFakeLeadway(
      (path) =>
        path === '/jwks'
          ? { status: 200, json: { keys: [] } }
          : { status: 200, json: { issuer: 'https://issuer.test', jwks_uri: 'https://issuer.test/jwks' } },
      authority.issue('issuer.test'),
    );
    await using proxy = await createForwardProxy({ hosts: { 'issuer.test:443': portOf(issuer) } });
    await using program = await startProgram(LEADWAY, {
      ...trusted(),
      https_proxy: proxy.url,
      AUTH: 'jwt',
      AUTH_JWT_ISSUER: 'https://issuer.test',
      AUTH_JWT_AUDIENCE: 'uploads',
    });
    await settled(() => issuer.calls.length === 2, 'the keys are read');
    assert.deepEqual(issuer.calls, ['GET /.well-known/openid-configuration', 'GET /jwks']);
    assert(proxy.seen.includes('CONNECT issuer.test:443'));
    await settled(() => program.log.length > 0, 'the log has lines');
    assert.equal((await program.readiness()).status, 200);
  });

  it('is not a way out if the proxy wants another password; the log says what to do and not which it was', async () => {
    await using proxy = await openProxy(CREDENTIALS);
    await using program = await startProgram(LEADWAY, {
      ...trusted(),
      HTTPS_PROXY: proxy.url.replace('hush-hush', 'hush-wrong'),
    });
    for (const query of ['', '?mode=relay', '?mode=direct']) {
      const { status, body } = await program.upload(query);
      assert.equal(`${status} ${body.code}`, '502 UPSTREAM_UNREACHABLE');
    }
    await settled(() => sentences(program, 'error').length === 2, 'the probe and the first call tell');
    for (const sentence of sentences(program, 'error')) {
      assert.match(
        sentence,
        /leadway\.test can’t be reached: the proxy http:\/\/127.*status 407.*HTTPS_PROXY/,
      );
    }
    assert.doesNotMatch(JSON.stringify(program.log), /hush/);
    assert.deepEqual((await program.readiness()).notices, ['Leadway can’t be reached']);
    assert.deepEqual(leadway.calls, []);
  });

  it('is not a way out if the proxy does not know the host, never responds or is down', async function () {
    this.timeout(60_000); // three programs, and connect timeouts of five seconds
    await using ignorant = await createForwardProxy({ hosts: {} });
    await using silent = await createForwardProxy({ hosts: {}, isSilent: true });
    const away = `http://127.0.0.1:${await freePort()}`;
    for (const url of [ignorant.url, silent.url, away]) {
      await using program = await startProgram(LEADWAY, { HTTPS_PROXY: url, UPSTREAM_TIMEOUT_MS: '300' });
      const { status, body } = await program.upload();
      assert.equal(`${status} ${body.code}`, '502 UPSTREAM_UNREACHABLE', url);
      if (url === away) {
        await settled(
          () =>
            sentences(program, 'error').some((text) => /behind the proxy .*refuses.*HTTPS_PROXY/.test(text)),
          'the log blames the proxy',
        );
      }
    }
  });

  it('has its certificates checked behind the proxy too', async () => {
    await using proxy = await openProxy();
    await using program = await startProgram(LEADWAY, { HTTPS_PROXY: proxy.url });
    assert.equal((await program.upload()).body.code, 'UPSTREAM_UNREACHABLE');
    await settled(
      () => sentences(program, 'error').some((text) => /NODE_EXTRA_CA_CERTS/.test(text)),
      'the log names the variable',
    );
    assert.deepEqual(leadway.calls, []);
  });

  it('is not asked for what NO_PROXY names', async () => {
    await using proxy = await openProxy();
    await using program = await startProgram(LEADWAY, { HTTPS_PROXY: proxy.url, NO_PROXY: '.test' });
    assert.equal((await program.upload()).body.code, 'UPSTREAM_UNREACHABLE');
    assert.deepEqual(proxy.seen, []);
    assert(!sentences(program, 'info').some((text) => text.includes('proxy')));
  });

  it('takes plain http by HTTP_PROXY, with its password and without a trace of it for Leadway', async () => {
    await using plain = await createWholeLeadway(null, 'http://leadway.test');
    await using proxy = await createForwardProxy({
      hosts: { 'leadway.test:80': portOf(plain) },
      credentials: CREDENTIALS,
    });
    await using program = await startProgram('http://leadway.test', {
      HTTP_PROXY: proxy.url,
      PASSTHROUGH: 'GET /conversations/:id',
    });
    assert.equal((await program.upload()).status, 200);
    assert.equal((await program.upload('?mode=relay', fixture('picture.png'))).status, 200);
    assert.equal((await program.upload('?mode=forward', mp4(600_000))).status, 200);
    assert.equal((await fetch(`${program.url}/api/conversations/1`)).status, 200);
    assert(
      proxy.seen.includes('POST http://leadway.test/conversations/messages/upload'),
      proxy.seen.join('\n'),
    );
    assert.equal(plain.headers[0]?.host, 'leadway.test');
    assert.equal(plain.headers[0]?.authorization, `Bearer ${PROGRAM_TOKEN}`);
  });

  it('is left by tinyproxy as well', async function () {
    needsPrograms(this, 'tinyproxy');
    await using proxy = await openProxy();
    const port = await freePort();
    await using config = await createTempFile(
      [
        `Port ${port}`,
        'Listen 127.0.0.1',
        'Timeout 60',
        'BasicAuth user hush-hush',
        'ConnectPort 443',
        // It can't look up a made-up name, so the proxy that can comes behind it.
        `Upstream http ${proxy.host}`,
        '',
      ].join('\n'),
    );
    const child = spawn(findProgram('tinyproxy') ?? 'tinyproxy', ['-d', '-c', config.path], {
      stdio: 'ignore',
    });
    const exited = once(child, 'exit');
    try {
      await listens(port);
      await using program = await startProgram(LEADWAY, {
        ...trusted(),
        HTTPS_PROXY: `http://${CREDENTIALS}@127.0.0.1:${port}`,
      });
      for (const query of ['', '?mode=relay', '?mode=direct']) {
        const { status, body } = await program.upload(query);
        assert(status === 200 || status === 202, JSON.stringify(body));
      }
      assert(proxy.seen.includes('CONNECT leadway.test:443'));
      assert.deepEqual((await program.readiness()).notices, []);
    } finally {
      child.kill();
      await exited;
    }
  });
});

describe('npm start with proxies in the environment', () => {
  it('reaches what is on this machine without them, even with NODE_USE_ENV_PROXY=1', async () => {
    await using leadway = await createWholeLeadway(null);
    await using proxy = await createForwardProxy({ hosts: {} });
    const child = spawn('npm', ['start'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      detached: true, // npm and the program are ended together
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        HOST: '127.0.0.1',
        PORT: '0',
        LEADWAY_BASE_URL: leadway.url,
        STORAGE_ORIGINS: leadway.url,
        LEADWAY_TOKEN: PROGRAM_TOKEN,
        LEADWAY_LOCATION_ID: 'exampleLocation00001',
        HTTP_PROXY: proxy.url,
        http_proxy: proxy.url,
        HTTPS_PROXY: proxy.url,
        https_proxy: proxy.url,
        NODE_USE_ENV_PROXY: '1',
      },
    });
    const exited = once(child, 'exit');
    try {
      const url = await listeningUrl(child);
      const response = await fetch(`${url}/api/messages/upload?mode=relay`, {
        method: 'POST',
        body: form(),
      });
      assert.equal(response.status, 200, await response.text());
      assert.equal(callsOf(leadway).length, 3);
      assert.deepEqual(proxy.seen, []);
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGTERM');
      await exited;
    }
  });
});

function form(): FormData {
  const data = new FormData();
  data.set('conversationId', 'exampleConversation1');
  data.set('contactId', 'exampleContact000001');
  data.set(
    'fileAttachment',
    new File([new Uint8Array(fixture('picture.png'))], 'picture.png', { type: 'image/png' }),
  );
  return data;
}

function listeningUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new TypeError('its output is not read');
    createInterface({ input: child.stdout })
      .on('line', (line) => {
        const url = /listening on (http:\/\/[\d.:]+)/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      })
      .once('close', () => reject(new Error('the server did not start')));
  });
}

/** Waits until something takes connections on `port`; what tinyproxy prints comes too late for that. */
async function listens(port: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    assert(performance.now() < deadline, 'tinyproxy does not listen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

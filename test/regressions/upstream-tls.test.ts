import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { type Authority, type Certificate, createAuthority } from '../helpers/certificates.ts';
import { createFakeLeadway } from '../helpers/fake-leadway.ts';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { needsPrograms } from '../helpers/programs.ts';
import { settled } from '../helpers/test-server.ts';
import { callsOf, createWholeLeadway, PROGRAM_TOKEN, startProgram } from '../helpers/upstream-program.ts';

describe('a Leadway that speaks TLS', () => {
  let authority: Authority;
  before(function () {
    needsPrograms(this, 'openssl');
    authority = createAuthority();
  });
  after(() => authority?.[Symbol.dispose]());

  it('gets every kind of upload when NODE_EXTRA_CA_CERTS names its authority', async () => {
    await using leadway = await createWholeLeadway(authority.issue('localhost'));
    await using program = await startProgram(leadway.url, {
      NODE_EXTRA_CA_CERTS: authority.file,
      PASSTHROUGH: 'GET /conversations/:id',
    });
    assert.equal((await program.upload()).status, 200);
    assert.equal((await program.upload('?mode=forward', mp4(600_000))).status, 200);
    const relayed = await program.upload('?mode=relay');
    assert.equal(`${relayed.status} ${relayed.body.mode}`, '200 relay');
    const { status, body } = await program.upload('?mode=direct');
    assert.equal(status, 202);
    const { ticket = '' } = body;
    const content = await fetch(`${program.url}/api/messages/upload/content`, {
      method: 'PUT',
      headers: { 'Upload-Ticket': ticket, 'Content-Type': 'image/png' },
      body: new Uint8Array(fixture('picture.png')),
    });
    assert.equal(content.status, 204);
    const complete = await fetch(`${program.url}/api/messages/upload/complete`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ticket }),
    });
    assert.equal(complete.status, 200);
    assert.equal((await fetch(`${program.url}/api/conversations/1`)).status, 200);
    assert.deepEqual(callsOf(leadway), [
      'POST /conversations/messages/upload',
      'POST /conversations/messages/upload',
      'POST /conversations/messages/upload/initiate',
      'PUT /bucket/f/1?signature=s',
      'POST /conversations/messages/upload/complete',
      'POST /conversations/messages/upload/initiate',
      'PUT /bucket/f/1?signature=s',
      'POST /conversations/messages/upload/complete',
      'GET /conversations/1',
    ]);
    assert.deepEqual((await program.readiness()).notices, []);
  });

  it('keeps its connection from request to request', async () => {
    const sockets = new Set<Socket>();
    await using leadway = await createFakeLeadway((_path, { socket }) => {
      sockets.add(socket);
      return { status: 200, json: { uploadedFiles: { 'picture.png': 'https://cdn.example.com/0' } } };
    }, authority.issue('localhost'));
    await using program = await startProgram(leadway.url, { NODE_EXTRA_CA_CERTS: authority.file });
    for (let count = 0; count < 40; count += 1) assert.equal((await program.upload()).status, 200);
    assert.equal(sockets.size, 1);
  });

  const broken: readonly (readonly [string, (authority: Authority) => Certificate, boolean, RegExp])[] = [
    ['self-signed', (ca) => ca.selfSigned('localhost'), false, /self-signed.*NODE_EXTRA_CA_CERTS/],
    ['of an unknown authority', (ca) => ca.issue('localhost'), false, /NODE_EXTRA_CA_CERTS/],
    ['for another host', (ca) => ca.issue('other.test'), true, /for another host.*LEADWAY_BASE_URL/],
    ['expired', (ca) => ca.issue('localhost', -1), true, /has expired.*clock/],
  ];
  for (const [what, make, isTrusted, sentence] of broken) {
    it(`can’t be reached when its certificate is ${what}; the log says what to do`, async () => {
      await using leadway = await createWholeLeadway(make(authority));
      await using program = await startProgram(
        leadway.url,
        isTrusted ? { NODE_EXTRA_CA_CERTS: authority.file } : {},
      );
      const advice = () =>
        program.log.filter(({ level, msg }) => level === 'error' && sentence.test(String(msg)));
      await settled(() => advice().length === 1, 'the probe at start tells the operator');
      for (const query of ['', '?mode=forward', '?mode=relay', '?mode=direct']) {
        const { status, body } = await program.upload(query);
        assert.equal(`${status} ${body.code}`, '502 UPSTREAM_UNREACHABLE', query);
      }
      await settled(() => advice().length === 2, 'the first failed call tells it again');
      assert(String(advice()[0]?.['msg']).startsWith(new URL(leadway.url).host));
      const { status, notices } = await program.readiness();
      assert.deepEqual({ status, notices }, { status: 200, notices: ['Leadway can’t be reached'] });
      assert.deepEqual(leadway.calls, []);
      assert.doesNotMatch(JSON.stringify(program.log), new RegExp(PROGRAM_TOKEN));
    });
  }

  it('can’t be reached when its port speaks plain HTTP', async () => {
    await using plain = await createFakeLeadway(() => ({ status: 200, json: {} }));
    await using program = await startProgram(plain.url.replace('http:', 'https:'));
    assert.equal((await program.upload()).body.code, 'UPSTREAM_UNREACHABLE');
    await settled(
      () => program.log.some(({ msg }) => /handshake failed.*speaks TLS/.test(String(msg))),
      'the log says that the port does not speak TLS',
    );
  });

  it('can’t be reached when it closes every connection, and the readiness probe shows it', async () => {
    await using silent = await closing();
    await using program = await startProgram(`https://localhost:${silent.port}`);
    await settled(() => program.log.some(({ level }) => level === 'error'), 'the probe has failed');
    const { notices } = await program.readiness();
    assert.deepEqual(notices, ['Leadway can’t be reached']);
  });
});

/** Closes each connection at once. */
async function closing(): Promise<{ readonly port: number } & AsyncDisposable> {
  const server: Server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

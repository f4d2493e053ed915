import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { type Authority, type Certificate, createAuthority } from '../helpers/certificates.ts';
import { createFakeLeadway, type FakeAnswer } from '../helpers/fake-leadway.ts';
import { settled } from '../helpers/house.ts';
import { encodeForm, FORM_TYPE, fixture, mp4 } from '../helpers/multipart.ts';
import { needsPrograms } from '../helpers/programs.ts';
import { filePart, textParts } from '../helpers/send-upload.ts';
import { type ServerProcess, startServerProcess } from '../helpers/server-process.ts';

const FIELDS = { conversationId: 'exampleConversation1', contactId: 'exampleContact000001' };
const TOKEN = 'pit-test-00000000';

interface Json {
  readonly mode?: string;
  readonly code?: string;
  readonly ticket?: string;
  readonly uploadUrl?: string;
  readonly notices?: readonly string[];
}

interface Program extends ServerProcess {
  readonly log: Record<string, unknown>[];
}

async function start(upstreamUrl: string, env: Readonly<Record<string, string>> = {}): Promise<Program> {
  const log: Record<string, unknown>[] = [];
  const upstream = {
    url: upstreamUrl,
    storageOrigin: upstreamUrl,
    token: TOKEN,
    locationId: 'exampleLocation00001',
  };
  const program = await startServerProcess(upstream, env, {
    onLine: (line) => void log.push(JSON.parse(line) as Record<string, unknown>),
  });
  return Object.assign(program, { log });
}

async function upload(program: Program, query = '', content = fixture('picture.png')) {
  const name = content.length > 10_000 ? 'clip.mp4' : 'picture.png';
  const response = await fetch(`${program.url}/api/messages/upload${query}`, {
    method: 'POST',
    headers: { 'Content-Type': FORM_TYPE },
    body: new Uint8Array(encodeForm([...textParts(FIELDS), filePart(name, content)])),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

const readiness = async (program: Program) => {
  const response = await fetch(`${program.url}/readyz`);
  return { status: response.status, notices: ((await response.json()) as Json).notices };
};

/** A Leadway and its storage behind one certificate. */
const listen = (certificate: Certificate) => {
  const upstream = createFakeLeadway((path): FakeAnswer => {
    if (path.endsWith('/initiate')) {
      const signed = { uploadId: 'u1', filePath: 'f/1', expiresAt: Date.now() + 900_000, maxFileSize: 5e6 };
      return { status: 200, json: { ...signed, uploadUrl: `${leadway?.url}/bucket/f/1?signature=s` } };
    }
    if (path.startsWith('/bucket/')) return { status: 200, body: '' };
    const uploadedFiles = { 'picture.png': 'https://cdn.example.com/0' };
    return { status: 200, json: { uploadedFiles, metadata: { contentType: 'image/png' } } };
  }, certificate);
  let leadway: Awaited<typeof upstream> | null = null;
  return upstream.then((listening) => {
    leadway = listening;
    return listening;
  });
};

describe('a Leadway that speaks TLS', () => {
  let authority: Authority;
  before(function () {
    needsPrograms(this, 'openssl');
    authority = createAuthority();
  });
  after(() => authority?.[Symbol.dispose]());

  it('gets every kind of upload when NODE_EXTRA_CA_CERTS names its authority', async () => {
    await using leadway = await listen(authority.issue('localhost'));
    await using program = await start(leadway.url, {
      NODE_EXTRA_CA_CERTS: authority.file,
      PASSTHROUGH: 'GET /conversations/:id',
    });
    assert.equal((await upload(program)).status, 200);
    assert.equal((await upload(program, '?mode=forward', mp4(600_000))).status, 200);
    const relayed = await upload(program, '?mode=relay');
    assert.equal(`${relayed.status} ${relayed.body.mode}`, '200 relay');
    const { status, body } = await upload(program, '?mode=direct');
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
    assert.deepEqual(leadway.calls, [
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
    assert.deepEqual((await readiness(program)).notices, []);
  });

  const broken: readonly (readonly [string, (authority: Authority) => Certificate, boolean, RegExp])[] = [
    ['self-signed', (ca) => ca.selfSigned('localhost'), false, /self-signed.*NODE_EXTRA_CA_CERTS/],
    ['of an unknown authority', (ca) => ca.issue('localhost'), false, /NODE_EXTRA_CA_CERTS/],
    ['for another host', (ca) => ca.issue('other.test'), true, /for another host.*LEADWAY_BASE_URL/],
    ['expired', (ca) => ca.issue('localhost', -1), true, /has expired.*clock/],
  ];
  for (const [what, make, isTrusted, sentence] of broken) {
    it(`can’t be reached when its certificate is ${what}; the log says what to do`, async () => {
      await using leadway = await listen(make(authority));
      await using program = await start(
        leadway.url,
        isTrusted ? { NODE_EXTRA_CA_CERTS: authority.file } : {},
      );
      const advice = () =>
        program.log.filter(({ level, msg }) => level === 'error' && sentence.test(String(msg)));
      await settled(() => advice().length === 1, 'the probe at start tells the operator');
      for (const query of ['', '?mode=forward', '?mode=relay', '?mode=direct']) {
        const { status, body } = await upload(program, query);
        assert.equal(`${status} ${body.code}`, '502 UPSTREAM_UNREACHABLE', query);
      }
      await settled(() => advice().length === 2, 'the first failed call tells it again');
      assert(String(advice()[0]?.['msg']).startsWith(new URL(leadway.url).host));
      const { status, notices } = await readiness(program);
      assert.deepEqual({ status, notices }, { status: 200, notices: ['Leadway can’t be reached'] });
      assert.deepEqual(leadway.calls, []);
      assert.doesNotMatch(JSON.stringify(program.log), new RegExp(TOKEN));
    });
  }

  it('can’t be reached when its port speaks plain HTTP', async () => {
    await using plain = await createFakeLeadway(() => ({ status: 200, json: {} }));
    await using program = await start(plain.url.replace('http:', 'https:'));
    assert.equal((await upload(program)).body.code, 'UPSTREAM_UNREACHABLE');
    await settled(
      () => program.log.some(({ msg }) => /handshake failed.*speaks TLS/.test(String(msg))),
      'the log says that the port does not speak TLS',
    );
  });

  it('can’t be reached when it closes every connection, and the readiness probe shows it', async () => {
    await using silent = await closing();
    await using program = await start(`https://localhost:${silent.port}`);
    await settled(() => program.log.some(({ level }) => level === 'error'), 'the probe has failed');
    const { notices } = await readiness(program);
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

import assert from 'node:assert/strict';
import { createSandbox, FAULTS, type FaultName, isFaultName } from '../../sandbox/index.ts';
import { freePort } from '../helpers/free-port.ts';
import { fixture } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

/** Secrets that look like nothing in particular, so that no pattern of the log's catches them by luck. */
const SECRETS = {
  token: 'Zq7opaqueTokenOfLeadway19',
  otherToken: 'Wm3opaqueSecondToken77',
  redisPassword: 'Kp5passwordOfRedis31',
  ticketSecret: 'Tt9secretThatSealsTickets-0123456789',
  oldTicketSecret: 'Uu8secretThatSealedTickets-0123456789',
  sessionSecret: 'Ss4secretThatSealsSessions-0123456789',
  ssoSecret: 'Rr6sharedSecretOfTheApp52',
} as const;

/** A secret as it is, or in a coding that is easily undone. */
const shapesOf = (secret: string): string[] => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('hex'),
  encodeURIComponent(secret),
];

function assertNoSecret(text: string, where: string): void {
  for (const [name, secret] of Object.entries(SECRETS)) {
    for (const shape of shapesOf(secret)) assert(!text.includes(shape), `${name} is in ${where}`);
  }
}

const PICTURE = fixture('picture.png');
const PASSTHROUGH = 'GET /conversations/:id,POST /conversations/messages,GET /conversations/search';
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Every way to make the program speak, good and bad. */
function calls(
  testServer: TestServer,
  credentials: Readonly<Record<string, string>>,
): (() => Promise<string>)[] {
  const { api, url, fields } = testServer;
  const form = (content: Buffer): Parameters<typeof sendUpload>[1] => [
    ...textParts(fields),
    filePart('a.png', content, 'image/png'),
  ];
  const upload =
    (query: string, content = PICTURE) =>
    async () => {
      const { text, headers } = await sendUpload(testServer, form(content), { query, headers: credentials });
      return `${text}${JSON.stringify(headers)}`;
    };
  const ask =
    (path: string, init: RequestInit = {}) =>
    async () => {
      const response = await fetch(path, { ...init, headers: { ...credentials, ...init.headers } });
      return `${await response.text()}${JSON.stringify([...response.headers])}`;
    };
  const post = (path: string, body: unknown) =>
    ask(`${api}${path}`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const initiate = { conversationId: fields['conversationId'], filename: 'a.png', contentType: 'image/png' };
  const stored = async (): Promise<string> => {
    const response = await fetch(`${api}/messages/upload/initiate`, {
      method: 'POST',
      headers: { ...credentials, ...JSON_TYPE },
      body: JSON.stringify(initiate),
    });
    const text = await response.text();
    if (response.status !== 200) return text;
    const { ticket } = JSON.parse(text) as { ticket: string };
    const content = await ask(`${api}/messages/upload/content`, {
      method: 'PUT',
      headers: { 'Upload-Ticket': ticket, 'Content-Type': 'image/png' },
      body: new Uint8Array(PICTURE),
    })();
    const complete = await post('/messages/upload/complete', { ticket })();
    const again = await post('/messages/upload/complete', { ticket: `${ticket.slice(0, -2)}xx` })();
    return [text, content, complete, again].join();
  };
  return [
    upload(''),
    upload('', Buffer.concat([PICTURE, Buffer.alloc(600_000)])),
    upload('?mode=relay'),
    upload('?mode=direct'),
    upload('?locationId=another'),
    stored,
    post('/messages/upload/initiate', '{"broken'),
    post('/messages/upload/complete', { ticket: 'eyJ.not.a.ticket' }),
    ask(`${api}${'/conversations/sandboxConversation01'}`),
    post('/conversations/messages', { type: 'SMS', contactId: fields['contactId'] }),
    post('/conversations/messages', { locationId: 'another' }),
    ask(`${api}/conversations/..%2f..`),
    post('/session', { payload: 'bm90IGEgcGF5bG9hZA==' }),
    ask(`${api}/config`),
    ask(`${api}/openapi.json`),
    ask(`${api}/nothing`),
    ask(`${url}/readyz`),
    ask(`${url}/healthz`),
  ];
}

/** What the process writes past its logger. */
function listenToOutput(): { readonly text: string } & Disposable {
  const real = { out: process.stdout.write, err: process.stderr.write };
  const heard = { text: '' };
  const listen = (write: typeof process.stdout.write, stream: NodeJS.WriteStream) =>
    ((...args: Parameters<typeof write>) => {
      heard.text += String(args[0]);
      return Reflect.apply(write, stream, args) as boolean;
    }) as typeof write;
  process.stdout.write = listen(real.out, process.stdout);
  process.stderr.write = listen(real.err, process.stderr);
  return {
    get text() {
      return heard.text;
    },
    [Symbol.dispose]() {
      process.stdout.write = real.out;
      process.stderr.write = real.err;
    },
  };
}

async function flood(
  fault: FaultName | null,
  env: Readonly<Record<string, string>> = {},
  credentials: Readonly<Record<string, string>> = {},
): Promise<void> {
  using output = listenToOutput();
  const redisPort = await freePort();
  await using sandbox = await createSandbox({
    token: SECRETS.token,
    fault,
    slowMs: 50,
    rateLimit: { max: 1_000, intervalMs: 10_000, daily: 10_000 },
  });
  await sandbox.ready();
  await using testServer = await createTestServer({
    upstream: sandbox,
    env: {
      LEADWAY_TOKEN: `${SECRETS.token},${SECRETS.otherToken}`,
      TICKET_SECRETS: `${SECRETS.ticketSecret},${SECRETS.oldTicketSecret}`,
      REDIS_URL: `redis://user:${SECRETS.redisPassword}@127.0.0.1:${redisPort}`,
      UPSTREAM_TIMEOUT_MS: '100',
      PASSTHROUGH,
      ...env,
    },
  });
  for (const call of calls(testServer, credentials)) {
    // A connection that was cut is a response, too; it holds no secret.
    assertNoSecret(await call().catch(String), `a response under ${fault}`);
  }
  assertNoSecret(testServer.log.lines.join('\n'), `the log under ${fault}`);
  assertNoSecret(output.text, `the output under ${fault}`);
  assert.doesNotMatch(output.text, /\[HPM\]|Warning/, 'nothing is printed past the logger');
  if (fault === null && env['AUTH'] === undefined) {
    const statuses = testServer.log.entries.map(({ route, status }) => `${String(route)} ${String(status)}`);
    assert(statuses.includes('/api/messages/upload/content 204'), 'a file was relayed');
    assert(statuses.includes('/api/messages/upload/complete 200'), 'and completed');
  }
  assert.doesNotMatch(
    testServer.log.lines.join('\n'),
    /X-Goog-Signature=[0-9a-f]/i,
    'a signature is in the log',
  );
  assert.doesNotMatch(testServer.log.lines.join('\n'), /"eyJ|[ :"]eyJhbGci/, 'a ticket is in the log');
  assert(testServer.log.lines.length > 10, 'the log was listened to');
}

const NAMES = Object.keys(FAULTS)
  .flatMap((name) =>
    name.includes('NNN')
      ? ['201', '302', '401', '403', '418', '500'].map((status) => name.replace('NNN', status))
      : [name],
  )
  .filter(isFaultName);

describe('No secret is in any response or log line at level trace', () => {
  for (const fault of [null, ...NAMES]) {
    it(`when Leadway’s fault is ${fault ?? 'none at all'}`, () => flood(fault));
  }

  const SSO = { AUTH: 'sso', SSO_SHARED_SECRET: SECRETS.ssoSecret, SESSION_SECRETS: SECRETS.sessionSecret };
  const HEADER = { AUTH: 'header', TRUST_PROXY: '127.0.0.1' };
  for (const [name, env, credentials] of [
    ['sso without a session', SSO, {}],
    ['sso with a forged session', SSO, { Authorization: 'Bearer eyJhbGciOiJkaXIifQ..a.b.c' }],
    ['sso with a forged cookie', SSO, { Cookie: '__Host-leadway-session=eyJhbGciOiJkaXIifQ..a.b.c' }],
    ['a proxy that names the user', HEADER, { 'X-Forwarded-User': 'ana' }],
    ['a proxy that names nobody', HEADER, {}],
  ] as const) {
    it(`with ${name}`, () => flood(null, env, credentials));
    it(`with ${name} and a leaky Leadway`, () => flood('leaky', env, credentials));
  }
});

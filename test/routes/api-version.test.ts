import assert from 'node:assert/strict';
import {
  complete,
  fields,
  file,
  initiate,
  initiated,
  postJson,
  putContent,
  type Reply,
  seen,
  sendForm,
} from '../helpers/direct-steps.ts';
import { mp4 } from '../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const NOTE = file('a.txt', 'text');
const FILM = file('a.mp4', mp4(600_000));

/** What a client sees, but for what differs from request to request. */
function essence({ status, body }: Reply): unknown {
  const { code, message, retryable, details, mode } = body;
  return { status, code, message, retryable, details, mode, files: Object.keys(body.uploadedFiles ?? {}) };
}

const FAULTS = [
  'status-400',
  'status-403',
  'status-404',
  'status-409',
  'status-422',
  'status-423',
  'status-402',
  'status-500',
  'status-503',
  'early-413',
  'early-401',
  'bad-token',
  'no-scope',
  'auth-class',
  '429',
  '429-retry-after',
  'leaky',
] as const;

describe('LEADWAY_API_VERSION=v3', () => {
  let v3: TestServer;
  let old: TestServer;
  beforeEach(async () => {
    [v3, old] = await Promise.all([
      createTestServer({ env: { LEADWAY_API_VERSION: 'v3' } }),
      createTestServer(),
    ]);
  });
  afterEach(() => Promise.all([v3[Symbol.asyncDispose](), old[Symbol.asyncDispose]()]));

  /** The response in the dialect of v3, after it was compared with that of the default. */
  async function same(run: (testServer: TestServer) => Promise<Reply>): Promise<Reply> {
    const [ofV3, ofOld] = [await run(v3), await run(old)];
    assert.deepEqual(essence(ofV3), essence(ofOld));
    return ofV3;
  }
  const send = (testServer: TestServer, part = NOTE, path = '', more = {}) =>
    sendForm(testServer, [...fields({ ...testServer.fields, ...more }), part], { path });

  it('sends that version, and files arrive in every mode', async () => {
    for (const path of ['', '?mode=relay']) {
      for (const part of [NOTE, FILM]) {
        assert.equal((await same((testServer) => send(testServer, part, path))).status, 200);
      }
    }
    for (const testServer of [v3, old]) {
      const ticket = await initiated(testServer, { filename: 'a.txt' });
      assert.equal((await putContent(testServer, ticket, 'text')).status, 204);
      assert.equal((await complete(testServer, { ticket: ticket.ticket })).status, 200);
    }
    const versions = v3.sandbox.requests
      .filter(({ service }) => service === 'leadway')
      .map(({ headers }) => headers['version']);
    assert.deepEqual([...new Set(versions)], ['v3']);
    assert.equal(old.sandbox.requests[0]?.headers['version'], '2021-07-28');
  });

  for (const fault of FAULTS) {
    it(`understands errors as well as those of the default: ${fault}`, async () => {
      for (const testServer of [v3, old]) testServer.sandbox.fault = fault;
      for (const part of [NOTE, FILM])
        assert.notEqual((await same((testServer) => send(testServer, part))).status, 200);
      await same((testServer) => initiate(testServer));
      if (fault === 'bad-token') assert.match(v3.log.lines.join(), /Leadway rejected the token/);
      if (fault === 'no-scope') assert.match(v3.log.lines.join(), /lacks the scope/);
    });
  }

  it('passes the trace id on', async () => {
    v3.sandbox.fault = 'status-422';
    const { text } = await send(v3);
    assert.match(JSON.parse(text).upstreamTraceId, /^[0-9a-f-]{36}$/);
  });

  it('knows a conversation that is missing, and a file that is not in storage', async () => {
    const missing = await same((testServer) => send(testServer, NOTE, '', { conversationId: 'missing1' }));
    assert.equal(missing.status, 404);
    const absent = await same(async (testServer) => {
      const { ticket } = await initiated(testServer);
      return complete(testServer, { ticket });
    });
    assert.equal(absent.body.code, 'NOT_UPLOADED');
  });

  it('says what is wrong with which field', async () => {
    const env = { LEADWAY_API_VERSION: 'v3', PASSTHROUGH: 'POST /conversations/messages' };
    await using testServer = await createTestServer({ env });
    const { status, body } = await postJson(testServer, '/conversations/messages', {});
    assert.equal(`${status} ${body.code}`, '400 UPSTREAM_REJECTED');
    assert.match(body.message ?? '', /contactId must be a string; type must be a string/);
  });

  it('falls back to forward where direct uploads are not offered', async () => {
    for (const fault of ['no-initiate', 'initiate-401-class'] as const) {
      for (const testServer of [v3, old]) testServer.sandbox.fault = fault;
      const { body } = await same((testServer) => send(testServer, FILM, '?mode=direct'));
      assert.equal(body.code, 'DIRECT_UNAVAILABLE');
    }
    assert.equal((await send(v3, file('b.mp4', mp4(5_242_880)), '')).body.mode, 'forward');
    assert.equal(seen(v3, 'upload').length, 1);
  });
});

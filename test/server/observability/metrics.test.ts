import assert from 'node:assert/strict';
import { createSandbox } from '../../../sandbox/index.ts';
import { ERROR_CODES } from '../../../server/errors/codes.ts';
import {
  call,
  complete,
  fields,
  file,
  initiate,
  initiated,
  putContent,
  sendForm,
} from '../../helpers/direct-steps.ts';
import { FORM_TYPE } from '../../helpers/multipart.ts';
import { beginUpload, connectTo } from '../../helpers/raw-client.ts';
import { createTestServer, settled, type TestServer } from '../../helpers/test-server.ts';
import { scrape } from './scrape.ts';

const ADMIN = { ADMIN_PORT: '0' };
const NOTE = file('note.txt', 'hello');

/** Metrics and labels as the contract has them. */
const CONTRACT: Readonly<Record<string, readonly string[]>> = {
  uploads_total: ['mode', 'outcome', 'code'],
  upload_bytes_total: ['mode'],
  upload_duration_seconds: ['mode', 'outcome'],
  uploads_in_flight: [],
  upload_slots_max: [],
  http_requests_total: ['route', 'method', 'status'],
  http_request_duration_seconds: ['route'],
  upstream_requests_total: ['endpoint', 'status'],
  upstream_request_duration_seconds: ['endpoint'],
  upstream_quota_remaining: ['window'],
  rate_limited_total: ['limit'],
  auth_failures_total: ['reason'],
  token_health: ['state'],
  redis_up: [],
  lingering_connections: [],
  scan_duration_seconds: ['outcome'],
};

const upload = (testServer: TestServer, query = '', more: Readonly<Record<string, string>> = {}) =>
  sendForm(testServer, [...fields({ ...testServer.fields, ...more }), NOTE], { path: query });

describe('the metrics', () => {
  it('are those of the contract, with its labels, and Node’s own', async () => {
    await using testServer = await createTestServer({ env: { ...ADMIN, REDIS_URL: 'redis://127.0.0.1:1' } });
    await upload(testServer);
    testServer.server.context.observers.scanEnded('clean', 5);
    const { text, samples } = await scrape(testServer);
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
    const own = names.filter((name) => name.startsWith('leadway_bff_'));
    assert.deepEqual(
      own.toSorted(),
      Object.keys(CONTRACT)
        .map((name) => `leadway_bff_${name}`)
        .toSorted(),
    );
    for (const { name, labels } of samples.filter((sample) => sample.name.startsWith('leadway_bff_'))) {
      const metric = name.replace('leadway_bff_', '').replace(/_(bucket|sum|count)$/, '');
      const labelNames = Object.keys(labels).filter((label) => label !== 'le');
      assert.deepEqual(labelNames.toSorted(), [...(CONTRACT[metric] ?? [])].toSorted(), name);
    }
    for (const name of [
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
      'process_open_fds',
    ]) {
      assert(names.includes(name), name);
    }
  });

  it('count no upload that is a repeat: the first one stored the file', async () => {
    await using testServer = await createTestServer({ env: ADMIN });
    const headers = { 'Idempotency-Key': 'key-1' };
    const ticket = await initiated(testServer, {}, headers);
    await putContent(testServer, ticket, 'hello');
    for (let turn = 0; turn < 3; turn += 1) {
      const parts = [...fields(testServer.fields), NOTE];
      assert.equal((await sendForm(testServer, parts, { headers })).status, 200);
      await initiated(testServer, {}, headers);
      assert.equal((await complete(testServer, { ticket: ticket.ticket }, headers)).status, 200);
    }
    const { value } = await scrape(testServer);
    assert.equal(value('uploads_total', { mode: 'forward', outcome: 'ok', code: 'none' }), 1);
    assert.equal(value('uploads_total', { mode: 'direct', outcome: 'initiated', code: 'none' }), 1);
    assert.equal(value('uploads_total', { mode: 'direct', outcome: 'ok', code: 'none' }), 1);
    assert.equal(value('upload_bytes_total', { mode: 'forward' }), 5);
    assert.equal(
      value('http_requests_total', { route: '/api/messages/upload', method: 'POST', status: '200' }),
      3,
    );
  });

  it('count uploads by mode, outcome and code', async () => {
    await using testServer = await createTestServer({ env: ADMIN });
    await upload(testServer);
    await upload(testServer, '?mode=relay');
    await sendForm(testServer, [...fields(testServer.fields), file('note.pdf', 'no pdf')]);
    await upload(testServer, '?mode=direct');
    await initiate(testServer);
    const ticket = await initiated(testServer);
    assert.equal((await putContent(testServer, ticket, 'hello')).status, 204);
    assert.equal((await complete(testServer, { ticket: ticket.ticket })).status, 200);

    const { value } = await scrape(testServer);
    const count = (mode: string, outcome: string, code = 'none') =>
      value('uploads_total', { mode, outcome, code });
    assert.equal(count('forward', 'ok'), 1);
    assert.equal(count('relay', 'ok'), 1);
    assert.equal(count('relay', 'stored'), 1);
    assert.equal(count('direct', 'initiated'), 3);
    assert.equal(count('direct', 'ok'), 1);
    assert.equal(count('undecided', 'rejected', 'TYPE_MISMATCH'), 1);
    assert.equal(value('upload_bytes_total', { mode: 'forward' }), 5);
    assert.equal(value('upload_duration_seconds_count', { mode: 'forward', outcome: 'ok' }), 1);
    assert.equal(
      value('http_requests_total', { route: '/api/messages/upload', method: 'POST', status: '200' }),
      2,
    );
    assert.equal(value('http_request_duration_seconds_count', { route: '/api/messages/upload' }), 4);
    for (const [endpoint, requests] of [
      ['upload', 1],
      ['initiate', 4],
      ['complete', 2],
      ['storage', 2],
    ] as const) {
      const series = (await scrape(testServer)).samples.filter(
        ({ name, labels }) =>
          name === 'leadway_bff_upstream_requests_total' && labels['endpoint'] === endpoint,
      );
      assert.equal(
        series.reduce((sum, sample) => sum + sample.value, 0),
        requests,
        endpoint,
      );
      assert.equal(value('upstream_request_duration_seconds_count', { endpoint }), requests, endpoint);
    }
  });

  it('count uploads whose clients have disconnected, and show those in flight', async () => {
    await using testServer = await createTestServer({ env: { ...ADMIN, MAX_CONCURRENT_UPLOADS: '7' } });
    using client = await beginUpload(testServer, 1_000);
    await settled(() => testServer.server.context.slots.taken === 1, 'the upload has begun');
    const during = await scrape(testServer);
    assert.equal(during.value('uploads_in_flight'), 1);
    assert.equal(during.value('upload_slots_max'), 7);
    client.leave();
    await testServer.assertClean();
    const { value } = await scrape(testServer);
    assert.equal(value('uploads_in_flight'), 0);
    assert.equal(value('uploads_total', { mode: 'undecided', outcome: 'disconnected', code: 'none' }), 1);
  });

  it('show Leadway’s quota, what it rejects and that it is down', async () => {
    const sandbox = await createSandbox({ rateLimit: { max: 50, intervalMs: 600_000, daily: 1_000 } });
    await using testServer = await createTestServer({ env: ADMIN, upstream: sandbox });
    await upload(testServer);
    const before = await scrape(testServer);
    assert.equal(before.value('upstream_quota_remaining', { window: 'interval' }), 49);
    assert.equal(before.value('upstream_quota_remaining', { window: 'day' }), 999);
    assert.equal(before.value('token_health', { state: 'ok' }), 1);

    sandbox.setToken('pit-another-token');
    await upload(testServer);
    const rejected = await scrape(testServer);
    assert.equal(rejected.value('token_health', { state: 'ok' }), 0);
    assert.equal(rejected.value('token_health', { state: 'rejected' }), 1);
    assert.equal(rejected.value('uploads_total', { outcome: 'failed', code: 'UPSTREAM_AUTH' }), 1);

    await sandbox.close();
    await upload(testServer);
    const { value } = await scrape(testServer);
    assert.equal(value('uploads_total', { outcome: 'failed', code: 'UPSTREAM_UNREACHABLE' }), 1);
    assert.equal(value('upstream_requests_total', { endpoint: 'upload', status: 'none' }), 1);
  });

  it('show which limits requests meet', async () => {
    await using testServer = await createTestServer({
      env: { ...ADMIN, RATE_LIMIT_MAX: '2', MAX_CONCURRENT_UPLOADS: '1' },
    });
    using client = await beginUpload(testServer, 1_000);
    await settled(() => testServer.server.context.slots.taken === 1, 'the upload has begun');
    await upload(testServer);
    await upload(testServer);
    client.leave();
    const { value } = await scrape(testServer);
    assert.equal(value('rate_limited_total', { limit: 'uploads' }), 1);
    assert.equal(value('rate_limited_total', { limit: 'requests' }), 1);
  });

  it('show why requests are rejected for who or where they are from', async () => {
    await using testServer = await createTestServer({
      env: {
        ...ADMIN,
        AUTH: 'header',
        TRUST_PROXY: 'loopback',
        AUTH_LOCATIONS_HEADER: 'X-Locations',
      },
    });
    const user = { 'X-Forwarded-User': 'ada', 'X-Locations': testServer.sandbox.locationId };
    await initiate(testServer);
    await initiate(testServer, {}, { ...user, Origin: 'https://evil.example' });
    await initiate(testServer, {}, { ...user, 'X-Locations': 'elsewhere' });
    await complete(testServer, { ticket: 'no ticket' }, user);
    const { value } = await scrape(testServer);
    for (const reason of ['missing', 'origin', 'location', 'ticket']) {
      assert.equal(value('auth_failures_total', { reason }), 1, reason);
    }
  });

  it('show that connections linger, and requests that could not be read', async () => {
    await using testServer = await createTestServer({ env: ADMIN });
    using client = await beginUpload(testServer, 1_000_000, ['Content-Encoding: gzip']);
    assert.equal((await client.response()).status, 415);
    await settled(() => testServer.server.context.lingering.count === 1, 'the connection lingers');
    using malformed = await connectTo(testServer);
    await malformed.send('nonsense\r\n\r\n');
    await malformed.until((received) => received.includes('400'));
    const { value } = await scrape(testServer);
    assert.equal(value('lingering_connections'), 1);
    assert.equal(value('http_requests_total', { route: 'unmatched', method: 'other', status: '400' }), 1);
  });

  it('have no label whose value a client chooses', async () => {
    await using testServer = await createTestServer({
      env: { ...ADMIN, PASSTHROUGH: 'GET /conversations/:id' },
    });
    const marks = Array.from({ length: 40 }, (_, index) => `flood${index}`);
    const series = async () => {
      const { samples } = await scrape(testServer);
      const own = samples.filter(({ name }) => name.startsWith('leadway_bff_'));
      return new Set(own.map(({ name, labels }) => name + JSON.stringify(labels)));
    };
    const flood = async (mark: string): Promise<void> => {
      await Promise.all([
        call(`${testServer.url}/${mark}`, { method: 'GET' }),
        call(`${testServer.api}/messages/${mark}?${mark}=${mark}`, { method: 'GET' }),
        call(`${testServer.api}/docs/${mark}`, { method: 'GET' }),
        call(`${testServer.api}/conversations/${mark}`, { method: 'GET' }),
        call(`${testServer.api}/Messages/Upload/?mode=${mark}`, { headers: { 'Content-Type': FORM_TYPE } }),
        upload(testServer, '', { channel: mark, [mark]: mark }),
        upload(testServer, `?locationId=${mark}`, { conversationId: mark }),
        sendForm(testServer, [...fields(testServer.fields), file(`a.${mark}`, 'x', `text/${mark}`)]),
        initiate(
          testServer,
          { filename: `${mark}.txt`, channel: mark },
          { 'X-Request-Id': mark, Origin: `https://${mark}.example` },
        ),
        complete(testServer, { ticket: mark }, { Authorization: mark, Cookie: mark, 'User-Agent': mark }),
        rawMethod(testServer, mark.toUpperCase()),
      ]);
    };
    await flood('first');
    const before = await series();
    for (const mark of marks) await flood(mark);
    const after = await series();
    assert.deepEqual(
      [...after].filter((one) => !before.has(one)),
      [],
    );
    assert.doesNotMatch([...after].join('\n'), /flood|first/i);
    await testServer.assertClean({
      completeUploads: testServer.sandbox.requests.filter(
        ({ complete: isComplete, path }) => isComplete && path.endsWith('/upload'),
      ).length,
    });
  });

  it('have codes of the program only', async () => {
    await using testServer = await createTestServer({ env: ADMIN });
    await upload(testServer, '?mode=nonsense');
    await sendForm(testServer, fields(testServer.fields));
    const { samples } = await scrape(testServer);
    const codes = samples.flatMap(({ labels: { code } }) => (code === undefined ? [] : [code]));
    assert.deepEqual(codes.toSorted(), ['INVALID_FIELD', 'NO_FILE']);
    for (const code of codes) assert(code in ERROR_CODES);
  });
});

/** A request with a method that Node's parser takes or rejects. */
async function rawMethod(testServer: TestServer, method: string): Promise<void> {
  using client = await connectTo(testServer);
  await client.send(`${method} /api/config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  await client.closed;
}

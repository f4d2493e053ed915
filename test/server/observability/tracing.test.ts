import assert from 'node:assert/strict';
import { fields, file, initiate, sendForm } from '../../helpers/direct-steps.ts';
import { mp4 } from '../../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../../helpers/test-server.ts';
import { startProgram } from '../program.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './otlp-receiver.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const [, PARENT_TRACE = '', PARENT_SPAN = ''] = PARENT.split('-');

/** Runs `steps` against a server that sends its traces to a collector, and stops it, which sends the last ones. */
async function traced(
  steps: (testServer: TestServer) => Promise<unknown>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly collector: OtlpReceiver; readonly testServer: TestServer } & AsyncDisposable> {
  const collector = await startOtlpReceiver();
  const testServer = await createTestServer({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env } });
  await steps(testServer);
  await testServer[Symbol.asyncDispose]();
  return { collector, testServer, [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose]() };
}

function only(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.filter((span) => span.name === name);
  assert.equal(found.length, 1, `${name} among ${spans.map((span) => span.name)}`);
  return found[0] as ReceivedSpan;
}

describe('traces', () => {
  for (const [size, what] of [
    [100, 'held'],
    [600_000, 'streamed'],
  ] as const) {
    it(`have spans of a ${what} upload, its checks and its request to Leadway`, async () => {
      await using run = await traced((testServer) =>
        sendForm(testServer, [...fields(testServer.fields), file('film.mp4', mp4(size))]),
      );
      const { spans, resource, targets } = run.collector;
      assert.deepEqual(targets, ['/v1/traces']);
      assert.equal(resource['service.name'], 'leadway-bff');
      const request = only(spans, 'POST /api/messages/upload');
      assert.equal(request.kind, 2);
      assert.equal(request.parentSpanId, '');
      assert.equal(request.attributes['http.response.status_code'], 200);
      assert.equal(request.attributes['leadway_bff.mode'], 'forward');
      const upstream = only(spans, 'POST upload');
      assert.equal(upstream.kind, 3);
      assert.equal(upstream.attributes['http.response.status_code'], 200);
      for (const span of [upstream, only(spans, 'checks')]) {
        assert.equal(span.traceId, request.traceId, span.name);
        assert.equal(span.parentSpanId, request.spanId, span.name);
      }
    });
  }

  it('have spans of each request of a relayed upload, and of scans', async () => {
    await using run = await traced(async (testServer) => {
      await sendForm(testServer, [...fields(testServer.fields), file('note.txt', 'hello')], {
        path: '?mode=relay',
      });
      testServer.server.context.observers.scanEnded('infected', 7);
    });
    const { spans } = run.collector;
    const request = only(spans, 'POST /api/messages/upload');
    for (const name of ['POST initiate', 'PUT storage', 'POST complete']) {
      assert.equal(only(spans, name).parentSpanId, request.spanId, name);
    }
    assert.equal(only(spans, 'scan').attributes['leadway_bff.outcome'], 'infected');
  });

  it('say why a request was rejected, and hold nothing of its files and fields', async () => {
    await using run = await traced(async (testServer) => {
      await sendForm(testServer, [...fields(testServer.fields), file('secret-name.pdf', 'no pdf')]);
      await initiate(testServer, { conversationId: 'secret-conversation', filename: 'secret-name.exe' });
    });
    const { spans } = run.collector;
    assert.equal(only(spans, 'POST /api/messages/upload').attributes['error.type'], 'TYPE_MISMATCH');
    assert.equal(only(spans, 'checks').attributes['leadway_bff.accepted'], false);
    assert.doesNotMatch(JSON.stringify(spans), /secret|pit-/);
  });

  it('continue those of a trusted proxy, and of nobody else', async () => {
    for (const [env, isContinued] of [
      [{ TRUST_PROXY: 'loopback' }, true],
      [{}, false],
    ] as const) {
      await using run = await traced((testServer) => initiate(testServer, {}, { traceparent: PARENT }), env);
      const request = only(run.collector.spans, 'POST /api/messages/upload/initiate');
      assert.equal(request.traceId === PARENT_TRACE, isContinued);
      assert.equal(request.parentSpanId, isContinued ? PARENT_SPAN : '');
      for (const { headers } of run.testServer.sandbox.requests) {
        assert.equal(headers['traceparent'], undefined, 'Leadway gets no trace id');
      }
    }
  });

  it('are named in the log line of each request', async () => {
    await using run = await traced((testServer) => initiate(testServer));
    const lines = run.testServer.log.lines.map(
      (line) => JSON.parse(line) as { route?: string; traceId?: string },
    );
    const line = lines.find(({ route }) => route === '/api/messages/upload/initiate');
    assert.equal(line?.traceId, only(run.collector.spans, 'POST /api/messages/upload/initiate').traceId);
  });

  it('go through the proxy of HTTP_PROXY', async () => {
    await using proxy = await startOtlpReceiver();
    await using run = await traced((testServer) => initiate(testServer), {
      HTTP_PROXY: proxy.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.invalid:4318/base/',
    });
    assert.deepEqual(run.collector.targets, []);
    assert.deepEqual(proxy.targets, ['http://collector.invalid:4318/base/v1/traces']);
    only(proxy.spans, 'POST /api/messages/upload/initiate');
  });

  it('that can’t be sent are logged once and harm nothing', async () => {
    await using broken = await startOtlpReceiver(403);
    await using run = await traced(
      async (testServer) => assert.equal((await initiate(testServer)).status, 200),
      { OTEL_EXPORTER_OTLP_ENDPOINT: broken.url },
    );
    assert.equal(run.testServer.log.lines.filter((line) => line.includes('traces can’t be sent')).length, 1);
  });

  describe('in the program', () => {
    const ENV = { LEADWAY_TOKEN: 'pit-not-a-real-token', LEADWAY_LOCATION_ID: 'location1' };
    const withHooks = (hooks: string) => ({
      NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(`import { registerHooks } from 'node:module'; registerHooks({ ${hooks} });`)}"`,
    });

    it('load nothing unless they are configured', async () => {
      const hooks = `load: (url, context, next) => { if (url.includes('@opentelemetry')) console.error(url); return next(url, context); }`;
      await using program = startProgram({ env: { ...ENV, ...withHooks(hooks) } });
      await program.until(/listening on/);
      assert.equal(program.stderr, '');
    });

    it('exit 78 with the line to install what they need', async () => {
      const hooks = `resolve: (specifier, context, next) => {
        if (specifier.includes('sdk-trace-node')) throw Object.assign(new Error('missing'), { code: 'ERR_MODULE_NOT_FOUND' });
        return next(specifier, context); }`;
      const env = { ...ENV, ...withHooks(hooks), OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
      await using program = startProgram({ env });
      assert.deepEqual(await program.ended, { code: 78, signal: null });
      assert.match(
        program.stderr,
        /^npm install @opentelemetry\/exporter-trace-otlp-proto .*sdk-trace-node$/m,
      );
      assert.equal(program.stdout, '');
    });
  });
});

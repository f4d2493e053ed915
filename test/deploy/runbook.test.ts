import assert from 'node:assert/strict';
import { explainConnectProblem } from '../../server/leadway/reachability.ts';
import { read } from '../documents/documents.ts';
import { fixture } from '../helpers/multipart.ts';
import { needsRedis, startRedis } from '../helpers/redis.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';
import { startProgram } from '../server/program.ts';

/** The rows of the page: code and log line by symptom. */
const ROWS = new Map(
  [...read('docs/deployment/runbook.md').matchAll(/^\| (.+?) \| (.+?) \| (.+?) \|/gm)].map(
    ([, symptom = '', code = '', line = '']) => [
      `${symptom} ${code}`,
      { code: code.replaceAll('`', ''), line: /"([^"]+)"/.exec(line)?.[1] ?? line },
    ],
  ),
);

function rowOf(symptom: string): { readonly code: string; readonly line: string } {
  const found = [...ROWS].find(([title]) => title.includes(symptom))?.[1];
  assert(found !== undefined, symptom);
  return found;
}

async function uploadCode(server: TestServer): Promise<unknown> {
  const parts = [...textParts(server.fields), filePart('a.png', fixture('picture.png'), 'image/png')];
  const { status, body } = await sendUpload(server, parts);
  return status === 200 ? 'none' : body.code;
}

/** Waits until what the page quotes has been logged. */
const isLogged = (server: TestServer, line: string): Promise<void> =>
  settled(() => server.log.lines.some((entry) => entry.includes(line)), `logged: ${line}`);

describe('docs/deployment/runbook.md', () => {
  it('says what appears when the token was revoked', async () => {
    const { code, line } = rowOf('token was revoked');
    await using server = await createTestServer({ env: { LEADWAY_TOKEN: 'a-revoked-token' } });
    assert.equal(await uploadCode(server), code);
    await isLogged(server, line);
  });

  it('says what appears when Leadway can’t be reached, and when it can again', async () => {
    const { code, line } = rowOf('Leadway is down');
    await using server = await createTestServer();
    server.sandbox.fault = 'refuse';
    await server.sandbox.ready();
    assert.equal(await uploadCode(server), code);
    await isLogged(server, line);
    server.sandbox.fault = null;
    await server.sandbox.ready();
    assert.equal(await uploadCode(server), 'none');
    await isLogged(server, 'can be reached again');
  });

  it('says what appears when Leadway responds with errors', async () => {
    const { code } = rowOf('Leadway responds with errors');
    await using server = await createTestServer();
    server.sandbox.fault = 'status-500';
    assert.equal(await uploadCode(server), code);
    await isLogged(server, '"upstreamStatus":500');
  });

  it('says what is logged when a certificate has expired', () => {
    const sentence = explainConnectProblem(Object.assign(new Error('tls'), { code: 'CERT_HAS_EXPIRED' }), {
      host: 'services.leadconnectorhq.com',
      setting: null,
      proxy: null,
    });
    assert(sentence.includes(rowOf('certificate has expired').line), sentence);
  });

  it('says what appears when the server does not start', async () => {
    assert.match(rowOf('does not start').line, /one line for each setting/);
    await using program = startProgram({ env: { PORT: 'eighty', MAX_FILES: '0' } });
    assert.equal((await program.ended).code, 78);
    assert.match(program.stderr, /^PORT: .*\nMAX_FILES: /);
  });

  describe('with Redis', function suite() {
    needsRedis(this);

    it('says what appears when Redis is down', async () => {
      const { code, line } = rowOf('Redis is down');
      await using redis = await startRedis();
      await using server = await createTestServer({ env: { REDIS_URL: redis.url } });
      await settled(() => server.server.context.sharedStore?.isUp === true, 'Redis is there');
      await redis.kill();
      await isLogged(server, line);
      assert.equal(await uploadCode(server), code);
    });
  });

  it('says what appears when all slots are taken', async () => {
    const { code, line } = rowOf('503 `BUSY`');
    await using server = await createTestServer({ env: { MAX_CONCURRENT_UPLOADS: '1' } });
    server.sandbox.fault = 'slow-headers';
    const codes = await Promise.all([uploadCode(server), uploadCode(server)]);
    assert(codes.includes(code), codes.join());
    await isLogged(server, `"msg":"${line}"`);
  });
});

import assert from 'node:assert/strict';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { read } from '../documents/documents.ts';
import { freePort } from '../helpers/free-port.ts';
import { encodeForm, FORM_TYPE, mp4 } from '../helpers/multipart.ts';
import { needsPrograms } from '../helpers/programs.ts';
import { startRedis, type TestRedis } from '../helpers/redis.ts';
import { settingsFor } from '../helpers/sandbox-settings.ts';
import { filePart, textParts } from '../helpers/send-upload.ts';
import { PROXIES, type ProxySetup } from '../proxies/proxies.ts';
import { type RunningProxy, startProxy } from '../proxies/running-proxy.ts';
import { type Program, startProgram } from '../server/program.ts';

const REPLICAS = 3;
/** Where a proxy's file has its one server, until the replicas take its place. */
const PLACEHOLDER = 'replicas.invalid';

/** The lines of docs/scaling.md that name the replicas, with these ports. */
function replicaLines(language: string, ports: readonly number[]): string {
  const page = read('docs/scaling.md');
  const [, block = ''] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page) ?? [];
  const lines = block.split('\n').filter((line) => /^ +(server|default-server|option) /.test(line));
  assert.equal(lines.filter((line) => line.includes(':3000')).length, REPLICAS, language);
  return lines
    .join('\n')
    .replace(/10\.0\.0\.1(\d):3000/g, (_match, number: string) => `127.0.0.1:${ports[Number(number) - 1]}`);
}

/** The documented file of a proxy, with the replicas instead of its server. */
function withReplicas(name: string, ports: readonly number[]): ProxySetup {
  const setup = PROXIES.find((proxy) => proxy.name === name);
  assert(setup !== undefined);
  const lines = replicaLines(name.toLowerCase(), ports);
  return {
    ...setup,
    command(site) {
      const { files, args } = setup.command(site);
      const replace = (text: string): string =>
        text.replace(/^ *(option abortonclose.*\n *)?server (bff )?replicas\.invalid;?$/m, () => lines);
      return {
        args,
        files: Object.fromEntries(Object.entries(files).map(([file, text]) => [file, replace(text)])),
      };
    },
  };
}

describe('three replicas behind nginx and HAProxy', function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let redis: TestRedis;
  let ports: number[];
  let replicas: Program[];
  let proxies: RunningProxy[];

  before(function () {
    needsPrograms(this, 'nginx', 'haproxy', 'redis-server');
  });
  beforeEach(async () => {
    sandbox = await createSandbox({ rateLimit: { max: 100_000, intervalMs: 10_000, daily: 1_000_000 } });
    redis = await startRedis();
    ports = await Promise.all(Array.from({ length: REPLICAS }, freePort));
    replicas = await Promise.all(ports.map(startReplica));
    const setups = ['nginx', 'HAProxy'].map((name) => withReplicas(name, ports));
    proxies = await Promise.all(setups.map((setup) => startProxy(setup, `http://${PLACEHOLDER}`, false)));
    // HAProxy begins to ask the replicas when it has started.
    for (const proxy of proxies) while ((await fetch(`${proxy.url}/api/config`)).status !== 200);
  });
  afterEach(async () => {
    await Promise.all([...proxies, ...replicas, redis].map((resource) => resource[Symbol.asyncDispose]()));
    await sandbox.close();
  });

  async function startReplica(port: number): Promise<Program> {
    const program = startProgram({
      env: {
        ...settingsFor(sandbox),
        PORT: `${port}`,
        REDIS_URL: redis.url,
        TICKET_SECRETS: 'a-test-secret-of-more-than-32-characters',
        TRUST_PROXY: 'loopback',
        RATE_LIMIT_MAX: '100000',
        SHUTDOWN_DELAY_MS: '2000',
      },
    });
    await program.until(/listening on/);
    return program;
  }

  /** Uploads a file through `proxy`; its second half waits for `rest`. Resolves to the status. */
  async function upload(proxy: RunningProxy, rest: Promise<void>, bytes = 300_000): Promise<number | string> {
    const { conversationId } = sandbox;
    const body = encodeForm([...textParts({ conversationId }), filePart('film.mp4', mp4(bytes))]);
    const half = body.length / 2;
    const pieces = async function* (): AsyncGenerator<Buffer> {
      yield body.subarray(0, half);
      await rest;
      yield body.subarray(half);
    };
    try {
      const response = await fetch(`${proxy.url}/api/messages/upload`, {
        method: 'POST',
        headers: { 'content-type': FORM_TYPE },
        body: ReadableStream.from(pieces()),
        duplex: 'half',
      } as RequestInit);
      const text = await response.text();
      return response.status === 200 ? 200 : `${response.status} ${text}`;
    } catch (error) {
      return String((error as Error).cause ?? error);
    }
  }

  const done = Promise.resolve();

  it('lose no upload while all of them are restarted, one after the other', async () => {
    let isOver = false;
    const results: (number | string)[] = [];
    const load = proxies.map(async (proxy) => {
      while (!isOver) results.push(await upload(proxy, done));
    });
    for (const [index, port] of ports.entries()) {
      const replica = replicas[index] as Program;
      replica.child.kill('SIGTERM');
      assert.deepEqual(await replica.ended, { code: 0, signal: null }, replica.stdout);
      replicas[index] = await startReplica(port);
    }
    isOver = true;
    await Promise.all(load);
    assert.deepEqual(
      results.filter((result) => result !== 200),
      [],
    );
    assert(results.length > 20, `${results.length} uploads`);
  });

  it('lose the uploads of a replica that is killed, and no others', async () => {
    const rest = Promise.withResolvers<void>();
    const held = Array.from({ length: 2 * REPLICAS }, (_, index) =>
      // More than FORWARD_HOLD_BYTES: it goes to Leadway while it arrives.
      upload(proxies[index % proxies.length] as RunningProxy, rest.promise, 1_000_000),
    );
    await sandbox.waitFor(
      (requests) =>
        requests.filter(({ path, bodyBytes }) => path.endsWith('/upload') && bodyBytes > 0).length ===
        held.length,
    );
    const [killed] = replicas as [Program];
    killed.child.kill('SIGKILL');
    await killed.ended;
    // A request that the killed process had open at Leadway has ended with it.
    await sandbox.waitFor((requests) => requests.some(({ aborted }) => aborted));
    const after = await Promise.all([...proxies, ...proxies, ...proxies].map((proxy) => upload(proxy, done)));
    assert.deepEqual(new Set(after), new Set([200]));
    rest.resolve();
    const failed = (await Promise.all(held)).filter((result) => result !== 200);
    const cut = sandbox.requests.filter(({ aborted }) => aborted);
    assert.equal(failed.length, cut.length, failed.join());
    assert(failed.length < held.length, 'the uploads of the other replicas have succeeded');
  });
});

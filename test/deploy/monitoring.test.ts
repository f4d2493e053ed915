import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { fields, file, sendForm } from '../helpers/direct-steps.ts';
import { freePort } from '../helpers/free-port.ts';
import { needsPrograms } from '../helpers/programs.ts';
import { createTestServer } from '../helpers/test-server.ts';

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL('../../deploy/monitoring/', import.meta.url));
const read = (name: string) => readFile(join(FOLDER, name), 'utf8');

describe('deploy/monitoring', () => {
  it('has rules and a configuration that promtool accepts', async function () {
    needsPrograms(this, 'promtool');
    await run('promtool', ['check', 'rules', 'alerts.yml'], { cwd: FOLDER });
    await run('promtool', ['check', 'config', 'prometheus.yml'], { cwd: FOLDER });
  });

  it('has alerts each of which fires', async function () {
    needsPrograms(this, 'promtool');
    const names = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name);
    const alerts = names(await read('alerts.yml'), /- alert: (\w+)/g);
    assert.deepEqual(names(await read('alerts.test.yml'), /- alertname: (\w+)/g), alerts);
    await run('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: FOLDER });
  });

  it('has the alerts of docs/deployment/operations.md, each with the severity that the page gives it', async () => {
    const page = await readFile(new URL('../../docs/deployment/operations.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\|(.*)\|(.*)\|$/gm)].map(([, critical = '', warning = '']) => ({
      critical,
      warning,
    }));
    const { groups } = parse(await read('alerts.yml')) as {
      groups: { rules: { alert: string; labels: { severity: 'critical' | 'warning' } }[] }[];
    };
    const rules = groups.flatMap(({ rules: ofGroup }) => ofGroup);
    assert(rules.length > 10);
    for (const { alert, labels } of rules)
      assert(
        rows.some((row) => row[labels.severity].includes(`\`${alert}\``)),
        alert,
      );
  });

  it('names metrics that exist, in alerts, dashboard and docs/monitoring.md', async () => {
    await using testServer = await createTestServer({
      env: { ADMIN_PORT: '0', REDIS_URL: 'redis://127.0.0.1:1' },
    });
    const text = await (await fetch(`${testServer.server.adminUrl}/metrics`)).text();
    const exist = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
    for (const name of ['alerts.yml', 'alerts.test.yml', 'dashboard.json']) {
      const used = (await read(name)).match(/\b(leadway_bff|nodejs|process)_\w+/g) ?? [];
      assert(used.length > 10, name);
      for (const metric of used) {
        assert(
          exist.has(metric) || exist.has(metric.replace(/_(bucket|count|sum)$/, '')),
          `${metric} in ${name}`,
        );
      }
    }
    const own = [...exist].filter((name) => name.startsWith('leadway_bff_')).map((name) => name.slice(12));
    const guide = await readFile(new URL('../../docs/monitoring.md', import.meta.url), 'utf8');
    const rows = [...guide.matchAll(/^\| `(\w+)(?:\{[\w,]+\})?` \| (?:counter|gauge|histogram)/gm)];
    assert.deepEqual(rows.map(([, name = '']) => name).toSorted(), own.toSorted());
    const dashboard = await read('dashboard.json');
    for (const metric of own)
      assert(dashboard.includes(`leadway_bff_${metric}`), `${metric} is on the dashboard`);
  });

  it('lets a real Prometheus scrape the server and load the alerts', async function () {
    needsPrograms(this, 'prometheus');
    await using testServer = await createTestServer({ env: { ADMIN_PORT: '0' } });
    await sendForm(testServer, [...fields(testServer.fields), file('note.txt', 'hello')]);
    const target = new URL(testServer.server.adminUrl ?? '').host;
    await using prometheus = await startPrometheus(target);
    const sample = await prometheus.query('leadway_bff_uploads_total{job="leadway-bff"}');
    assert.deepEqual(
      [sample.metric['mode'], sample.metric['outcome'], sample.value[1]],
      ['forward', 'ok', '1'],
    );
    const { data } = (await prometheus.get('/api/v1/rules')) as {
      data: { groups: { rules: { health: string }[] }[] };
    };
    assert(data.groups.flatMap(({ rules }) => rules).length > 10);
  });
});

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** Starts Prometheus with the project's configuration, with `target` in place of its example. */
async function startPrometheus(target: string) {
  const folder = await mkdtemp(join(tmpdir(), 'bff-prometheus-'));
  const config = (await read('prometheus.yml')).replace('127.0.0.1:9090', target).replaceAll('15s', '1s');
  assert(config.includes(target));
  await writeFile(join(folder, 'prometheus.yml'), config);
  await writeFile(join(folder, 'alerts.yml'), await read('alerts.yml'));
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  const get = async (path: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).json();
  return {
    get,
    /** Asks until there is a sample; Mocha's timeout bounds it. */
    async query(query: string): Promise<Sample> {
      for (;;) {
        assert.equal(child.exitCode, null, 'Prometheus has ended');
        const body = (await get(`/api/v1/query?query=${encodeURIComponent(query)}`).catch(() => null)) as {
          data?: { result?: Sample[] };
        } | null;
        const sample = body?.data?.result?.[0];
        if (sample !== undefined) return sample;
        await sleep(100);
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

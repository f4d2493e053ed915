import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { parse } from 'yaml';
import { ROOT, read } from '../documents/documents.ts';
import { findProgram, needsPrograms } from '../helpers/programs.ts';
import { startRedis } from '../helpers/redis.ts';
import { writeCertificate } from '../proxies/certificate.ts';
import { tempFolder } from '../server/program.ts';
import { problemsOf } from './settings.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly profiles?: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly (string | { readonly source: string; readonly target: string })[];
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly restart?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
}

const compose = parse(read('deploy/compose.yaml'), { merge: true }) as Compose;
const { services } = compose;

/** A service's variables, with the defaults of `${NAME:-default}`. */
function environmentOf(name: string): Record<string, string> {
  const entries = Object.entries(services[name]?.environment ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, value.replace(/\$\{\w+:-(.*?)\}/g, '$1')]));
}

describe('deploy/compose.yaml', () => {
  it('runs two replicas of the image, nginx and Redis; the rest by profile', () => {
    const always = Object.keys(services).filter((name) => services[name]?.profiles === undefined);
    assert.deepEqual(always, ['nginx', 'bff-1', 'bff-2', 'redis']);
    assert.deepEqual(services['clamav']?.profiles, ['clamav']);
    for (const name of ['prometheus', 'grafana']) assert.deepEqual(services[name]?.profiles, ['monitoring']);
    assert.deepEqual(services['bff-1'], services['bff-2']);
    assert.equal(services['bff-1']?.build?.dockerfile, 'deploy/Dockerfile');
  });

  it('gives the servers settings that they take, and secrets that it has', () => {
    const environment = environmentOf('bff-1');
    assert.deepEqual(problemsOf(environment), []);
    for (const [name, path] of Object.entries(environment).filter(([key]) => key.endsWith('_FILE'))) {
      const secret = path.replace('/run/secrets/', '');
      assert(services['bff-1']?.secrets?.includes(secret), `${name} is a secret of the service`);
      assert(compose.secrets[secret] !== undefined, `${secret} has a file`);
    }
  });

  it('gives uploads the time to finish, and the servers no file to write', () => {
    const { SHUTDOWN_DELAY_MS, SHUTDOWN_GRACE_MS } = environmentOf('bff-1');
    const graceMs = Number.parseInt(services['bff-1']?.stop_grace_period ?? '', 10) * 1000;
    assert(graceMs > Number(SHUTDOWN_DELAY_MS) + Number(SHUTDOWN_GRACE_MS), `${graceMs}`);
    assert.equal(services['bff-1']?.read_only, true);
  });

  it('starts all of it again after a restart of the machine', () => {
    for (const [name, { restart }] of Object.entries(services)) assert.equal(restart, 'unless-stopped', name);
  });

  it('publishes no port but those of nginx and, on this machine, Grafana', () => {
    const published = Object.entries(services).flatMap(([name, { ports = [] }]) =>
      ports.map((port) => `${name} ${port}`),
    );
    assert.deepEqual(published, ['nginx 443:443', 'grafana 127.0.0.1:3001:3000']);
  });

  it('names only files of its own that are there', () => {
    const mounted = Object.values(services)
      .flatMap(({ volumes = [] }) => volumes)
      .filter((volume) => volume.startsWith('./'))
      .map((volume) => volume.split(':')[0] ?? '');
    const configs = Object.values(compose.configs).map(({ file }) => file);
    for (const file of [...mounted, ...configs]) assert(existsSync(join(ROOT, 'deploy', file)), file);
  });

  it('has the nginx file of the documents, with both replicas and the certificate of the secrets', () => {
    const body = (name: string): string => read(name).split('\n\n').slice(1).join('\n\n');
    const documented = body('deploy/proxies/nginx.conf')
      .replace(
        '    server 127.0.0.1:3000;\n',
        '    server bff-1:3000 fail_timeout=2s;\n    server bff-2:3000 fail_timeout=2s;\n',
      )
      .replace(/ {4}# Uncomment.*\n/, '')
      .replace(/# (ssl_certificate(?:_key)?) \S+\/([^/]+);/g, '$1 /run/secrets/$2;');
    assert.equal(body('deploy/compose/nginx.conf'), documented);
    const targets = (services['nginx']?.secrets ?? []).map((secret) =>
      typeof secret === 'string' ? secret : secret.target,
    );
    for (const [, name = ''] of documented.matchAll(/\/run\/secrets\/(\S+);/g))
      assert(targets.includes(name), name);
  });

  it('has an nginx file that nginx takes', async function () {
    needsPrograms(this, 'nginx', 'openssl');
    await using folder = await tempFolder();
    const { certificate, key } = writeCertificate(folder.path);
    const site = read('deploy/compose/nginx.conf')
      .replace('/run/secrets/uploads.example.com.pem', certificate)
      .replace('/run/secrets/uploads.example.com.key', key)
      // The names resolve within the containers' network only.
      .replaceAll(/bff-\d:3000/g, '127.0.0.1:3000')
      // Debian 12's nginx is older.
      .replace('listen 443 ssl;\n    http2 on;', 'listen 443 ssl http2;');
    const text = `pid ${folder.path}/pid; events {} http { access_log off;\n${site}\n}`;
    const file = join(folder.path, 'nginx.conf');
    await writeFile(file, text);
    execFileSync(
      findProgram('nginx') ?? 'nginx',
      ['-t', '-q', '-e', 'stderr', '-p', folder.path, '-c', file],
      {
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
  });

  it('lets Prometheus scrape both replicas at their admin port', async function () {
    needsPrograms(this, 'promtool');
    const { scrape_configs: jobs } = parse(read('deploy/compose/prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const port = environmentOf('bff-1')['ADMIN_PORT'];
    assert.deepEqual(jobs[0]?.static_configs[0]?.targets, [`bff-1:${port}`, `bff-2:${port}`]);
    await using folder = await tempFolder();
    await writeFile(join(folder.path, 'prometheus.yml'), read('deploy/compose/prometheus.yml'));
    await writeFile(join(folder.path, 'alerts.yml'), read('deploy/monitoring/alerts.yml'));
    execFileSync('promtool', ['check', 'config', join(folder.path, 'prometheus.yml')], { stdio: 'pipe' });
  });

  it('has arguments that Redis takes, with which it keeps nothing on disk', async function () {
    needsPrograms(this, 'redis-server');
    const [program, ...args] = services['redis']?.command ?? [];
    assert.equal(program, 'redis-server');
    await using redis = await startRedis(...args);
    assert.deepEqual(await redis.command('CONFIG', 'GET', 'maxmemory-policy'), [
      'maxmemory-policy',
      'volatile-ttl',
    ]);
    assert.deepEqual(await redis.command('CONFIG', 'GET', 'save'), ['save', '']);
  });
});

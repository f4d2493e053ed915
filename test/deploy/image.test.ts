import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtempDisposable, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createSandbox } from '../../sandbox/index.ts';
import { read } from '../documents/documents.ts';
import { fixture } from '../helpers/multipart.ts';
import { needsPrograms, sayNotRun } from '../helpers/programs.ts';
import { settingsFor } from '../helpers/sandbox-settings.ts';
import { type BuiltImage, buildImage, IMAGE_PROGRAMS, runContainer, uidOf } from './image.ts';

const PAGE = 'docs/deployment/docker.md';

describe('deploy/Dockerfile', function () {
  this.timeout(60_000);
  let folder: Awaited<ReturnType<typeof mkdtempDisposable>> | undefined;
  let image: BuiltImage;

  before('it can be built', async function () {
    this.timeout(300_000);
    needsPrograms(this, ...IMAGE_PROGRAMS);
    if (process.getuid?.() !== 0) {
      sayNotRun('the image is not built: mounting it takes root');
      this.skip();
    }
    folder = await mkdtempDisposable(join(tmpdir(), 'leadway-bff-image-'));
    await chmod(folder.path, 0o755);
    image = await buildImage(folder.path);
  });
  after(() => folder?.remove());

  it('builds with the commands that the tests run, and names no registry', () => {
    const text = read('deploy/Dockerfile');
    assert.match(text, /^RUN \["npm", "ci", .*\]$/m);
    assert.match(text, /^RUN \["npm", "run", "build"\]$/m);
    assert.doesNotMatch(text, /^RUN [^[]/m, 'a base needs no shell');
    const bases = [...text.matchAll(/^(?:FROM|ARG \w+_IMAGE=)(.*)$/gm)].map(([, base]) => base);
    assert(
      bases.every((base) => !/\w\.\w+\//.test(base ?? '')),
      bases.join(),
    );
  });

  it('makes an image of the program alone, with everything that an orchestrator asks for', async () => {
    const { config, root } = image;
    assert.match(config.User, /^[1-9]\d+:[1-9]\d+$/);
    assert(config.Env.includes('NODE_ENV=production'));
    assert.deepEqual(config.Entrypoint, ['node', '/app/bin/leadway-bff.js']);
    assert.deepEqual(config.Healthcheck.Test, ['CMD', 'node', '/app/healthcheck.js']);
    assert.deepEqual(config.Volumes ?? {}, {});
    assert.equal(config.Labels['org.opencontainers.image.version'], '1.2.3');
    assert.equal(config.Labels['org.opencontainers.image.title'], 'leadway-bff');
    assert.deepEqual((await readdir(join(root, 'app'))).toSorted(), [
      'bin',
      'dist',
      'healthcheck.js',
      'node_modules',
      'package.json',
    ]);
    for (const shell of ['bin/sh', 'usr/bin/sh']) assert(!existsSync(join(root, shell)), shell);
  });

  it('has a list of its packages, with versions and licences', () => {
    const { bomFormat, components } = JSON.parse(
      readFileSync(join(image.root, 'app/dist/sbom.cdx.json'), 'utf8'),
    ) as { bomFormat: string; components: { name: string; version: string; licenses?: object[] }[] };
    assert.equal(bomFormat, 'CycloneDX');
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: object };
    for (const name of Object.keys(dependencies)) {
      const found = components.find((component) => component.name === name);
      assert.match(found?.version ?? '', /^\d+\./, name);
      assert((found?.licenses ?? []).length > 0, name);
    }
    assert(!components.some(({ name }) => name === 'mocha'), 'nothing that only development needs');
  });

  it('adds as much to its base as the page says', () => {
    const bytes = Number(
      execFileSync('du', ['-sb', join(image.root, 'app')], { encoding: 'utf8' }).split('\t')[0],
    );
    const stated = Number(/(\d+) MB on top of its base/.exec(read(PAGE))?.[1]);
    assert(Math.abs(bytes / 1e6 - stated) <= 2, `${bytes} bytes, the page says ${stated} MB`);
  });

  it('runs as its user without a shell on a read-only file system, uploads, and stops at SIGTERM', async () => {
    await using sandbox = Object.assign(await createSandbox(), {
      [Symbol.asyncDispose]: () => sandbox.close(),
    });
    const env = { ...settingsFor(sandbox), AUTH: 'none', NODE_ENV: 'production' };
    await using container = runContainer(image, env);
    const [, url = ''] = await container.until(/"url":"(http[^"]+)"/);
    assert.equal(uidOf(await container.pid), Number(image.config.User.split(':')[0]));

    const form = new FormData();
    form.set('conversationId', sandbox.conversationId);
    form.set('fileAttachment', new Blob([fixture('picture.png')], { type: 'image/png' }), 'picture.png');
    const response = await fetch(`${url}/api/messages/upload`, { method: 'POST', body: form });
    assert.equal(response.status, 200, await response.text());
    for (const path of ['docs', 'client.js', 'openapi.json']) {
      assert.equal((await fetch(`${url}/api/${path}`)).status, 200, path);
    }

    const port = new URL(url).port;
    const [, ...check] = image.config.Healthcheck.Test;
    await using healthy = runContainer(image, { ...env, PORT: port }, check);
    assert.equal(await healthy.exitCode, 0, healthy.output);

    process.kill(await container.pid, 'SIGTERM');
    assert.equal(await container.exitCode, 0, container.output);
    await using dead = runContainer(image, { ...env, PORT: port }, check);
    assert.equal(await dead.exitCode, 1);
  });

  it('can send traces', async () => {
    await using sandbox = Object.assign(await createSandbox(), {
      [Symbol.asyncDispose]: () => sandbox.close(),
    });
    const env = {
      ...settingsFor(sandbox),
      AUTH: 'none',
      NODE_ENV: 'production',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    };
    await using container = runContainer(image, env);
    await container.until(/"url":"(http[^"]+)"/);
  });

  it('can write nowhere but to /tmp', async () => {
    const attempt = `for (const path of ['/app/x', '/app/dist/x', '/x', '/etc/x', '/tmp/x']) {
      try { fs.writeFileSync(path, ''); console.log(path, 'written'); } catch ({ code }) { console.log(path, code); }
    }`;
    await using container = runContainer(image, {}, ['node', '-e', attempt]);
    assert.equal(await container.exitCode, 0);
    const [last, ...others] = container.output.trim().split('\n').toReversed();
    assert.equal(last, '/tmp/x written');
    assert(
      others.every((line) => line.endsWith(' EROFS')),
      container.output,
    );
  });

  it('exits 78 with every problem when it has no settings', async () => {
    await using container = runContainer(image);
    assert.equal(await container.exitCode, 78);
    assert.match(container.output, /^LEADWAY_TOKEN: /m);
    assert.match(container.output, /^AUTH: /m);
  });
});

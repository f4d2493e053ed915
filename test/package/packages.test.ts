import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { mkdir, mkdtempDisposable, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createSandbox } from '../../sandbox/index.ts';
import { read } from '../documents/documents.ts';
import { pack } from '../helpers/client-package.ts';
import { fixture } from '../helpers/multipart.ts';
import { sayNotRun } from '../helpers/programs.ts';
import { settingsFor } from '../helpers/sandbox-settings.ts';
import { startProgram, startSandboxed } from '../server/program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** What npm says when it can't reach a registry. */
const NO_REGISTRY =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/;

const APP = `
import express from 'express';
import { createUploadRouter, settingsFromEnv } from 'leadway-bff';

const router = createUploadRouter({ settings: settingsFromEnv(process.env) });
const app = express();
app.use('/api', router);
app.use(express.json());
app.use('/late', router);
const listener = app.listen(0, '127.0.0.1', () => console.log('at http://127.0.0.1:' + listener.address().port));
process.on('SIGTERM', async () => {
  listener.close();
  listener.closeAllConnections();
  await router.close({ graceMs: 0 });
});
`;

const SERVER_TYPES = `
import express from 'express';
import { ConfigError, createServer, createUploadRouter, type Options, settingsFromEnv, UploadRejected } from 'leadway-bff';

const options: Options = {
  settings: settingsFromEnv(process.env),
  authenticate: async (req) => (req.get('X-User') === undefined ? null : { id: 'ann', locations: 'all' }),
  async beforeUpload({ user, locationId, files }) {
    if (locationId === null) throw new UploadRejected(422, user.id + files.map(({ name }) => name).join());
  },
  afterUpload: ({ mode, files }) => console.log(mode === 'relay', files[0]?.url.length),
};
const app = express();
const router = createUploadRouter(options);
app.use('/api', router);
const closed: Promise<void> = router.close({ graceMs: 1 });
const url: string = (await createServer(options).listen()).url;
export { app, closed, ConfigError, url };
// @ts-expect-error: locations are needed
export const wrong: Options = { ...options, authenticate: () => ({ id: 'ann' }) };
`;

const CLIENT_TYPES = `
import { createUploader, UploadError } from 'leadway-bff-client';
import { createUploadStore } from 'leadway-bff-client/store';
import { xhrUploadOptions } from 'leadway-bff-client/uppy';
import { filePondOptions } from 'leadway-bff-client/filepond';
import { dropzoneOptions } from 'leadway-bff-client/dropzone';
import { useUploads } from 'leadway-bff-client/react';

export const store = createUploadStore(createUploader({ endpoint: '/api' }));
export { dropzoneOptions, filePondOptions, UploadError, useUploads, xhrUploadOptions };
`;

describe('the packages', function () {
  this.timeout(300_000);
  let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
  let serverTarball: string;
  let clientTarball: string;

  before(async () => {
    folder = await mkdtempDisposable(join(tmpdir(), 'packages-'));
    clientTarball = await pack('./client', folder.path);
    serverTarball = await pack('.', folder.path);
  });
  after(() => folder[Symbol.asyncDispose]());

  /** Installs `tarballs` into an empty folder. */
  async function install(name: string, ...tarballs: readonly string[]): Promise<string> {
    const home = join(folder.path, name);
    await mkdir(home);
    await writeFile(join(home, 'package.json'), '{"private":true,"type":"module"}');
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs], { cwd: home });
    return home;
  }

  it('of the server runs as a command and in an Express app, and both have types', async function () {
    let home: string;
    try {
      home = await install('both', serverTarball, clientTarball);
    } catch (error) {
      const { stderr = '' } = error as ExecFileException;
      if (!NO_REGISTRY.test(stderr)) throw error;
      sayNotRun('installing the packages: npm reaches no registry');
      this.skip();
    }
    const modules = join(home, 'node_modules');
    const files = await readdir(join(modules, 'leadway-bff'));
    assert.deepEqual(files.toSorted(), ['LICENSE', 'README.md', 'bin', 'dist', 'package.json']);

    const { stdout } = await run(join(modules, '.bin/leadway-bff'), ['--version'], { cwd: home });
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    {
      const { program, url } = await startSandboxed(
        {},
        { main: join(modules, 'leadway-bff/bin/leadway-bff.js') },
      );
      await using _ = program;
      assert.equal((await fetch(`${url}/readyz`)).status, 200);
      program.child.kill('SIGTERM');
      assert.deepEqual(await program.ended, { code: 0, signal: null });
    }

    await using sandbox = {
      server: await createSandbox(),
      [Symbol.asyncDispose]: () => sandbox.server.close(),
    };
    await writeFile(join(home, 'app.js'), APP);
    await using app = startProgram({
      main: join(home, 'app.js'),
      cwd: home,
      env: settingsFor(sandbox.server),
    });
    const [, url] = await app.until(/^at (http:\S+)$/m);
    const form = new FormData();
    form.append('conversationId', sandbox.server.conversationId);
    form.append('fileAttachment', new Blob([fixture('picture.png')], { type: 'image/png' }), 'a.png');
    const uploaded = await fetch(`${url}/api/messages/upload`, { method: 'POST', body: form });
    assert.equal(uploaded.status, 200, await uploaded.clone().text());
    const late = await fetch(`${url}/late/messages/upload/initiate`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ conversationId: sandbox.server.conversationId, filename: 'a.png' }),
    });
    assert.equal(late.status, 500);
    assert.match(((await late.json()) as { message: string }).message, /before the upload router/);
    await app.until(/mount the router first/);
    app.child.kill('SIGTERM');
    assert.deepEqual(await app.ended, { code: 0, signal: null });

    // The sandbox as a fixture of an app's own end-to-end tests.
    await writeFile(
      join(home, 'fixture.js'),
      `import assert from 'node:assert/strict';
` +
        `${/```js sandbox\.js\n(.*?)```/s.exec(read('docs/testing.md'))?.[1]}
assert(conversationId.length > 10);
const { modes } = await (await fetch(endpoint + '/config')).json();
await close();
console.log('modes', modes.join());`,
    );
    const fixtureRun = await run(process.execPath, [join(home, 'fixture.js')], { cwd: home });
    assert.match(fixtureRun.stdout, /modes auto,forward/);

    // The types of Express, Node and React, as an app would have them.
    await symlink(join(ROOT, 'node_modules/@types'), join(modules, '@types'));
    await writeFile(join(home, 'server.ts'), SERVER_TYPES);
    await writeFile(join(home, 'client.ts'), CLIENT_TYPES);
    for (const [module, moduleResolution] of [
      ['node16', 'node16'],
      ['esnext', 'bundler'],
    ]) {
      const compilerOptions = {
        module,
        moduleResolution,
        target: 'es2022',
        lib: ['es2022', 'esnext.disposable', 'dom', 'dom.iterable'],
        types: ['node'],
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
      };
      await writeFile(
        join(home, 'tsconfig.json'),
        JSON.stringify({ compilerOptions, files: ['server.ts', 'client.ts'] }),
      );
      const said = await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', home]).then(
        () => '',
        ({ stdout: problems }: { stdout: string }) => problems,
      );
      assert.equal(said, '', moduleResolution);
    }
  });
});

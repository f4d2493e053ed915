import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from '../../scripts/build.ts';
import { startSandboxed, tempFolder } from '../server/program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Every kind of file that the server sends. */
const PATHS = [
  '/',
  '/main.js',
  '/texts/spanish.js',
  '/styles/base.css',
  '/sample.png',
  '/client/index.js',
  '/main.ts',
  '/package.json',
  '/api/client.js',
  '/api/client/index.js',
  '/api/docs',
  '/api/docs/initializer.js',
  '/api/docs/swagger-ui-bundle.js',
  '/api/docs/swagger-ui.css',
  '/api/docs/favicon-32x32.png',
  '/api/openapi.json',
  '/api/config',
];

describe('the bundle', function () {
  this.timeout(120_000);
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let main: string;

  before(async () => {
    folder = await tempFolder();
    await build(join(folder.path, 'dist'));
    await cp(join(ROOT, 'bin'), join(folder.path, 'bin'), { recursive: true });
    await cp(join(ROOT, 'package.json'), join(folder.path, 'package.json'));
    main = join(folder.path, 'bin/leadway-bff.js');
  });
  after(() => folder[Symbol.asyncDispose]());

  it('sends every file as the sources do, without any package beside it', async () => {
    const [bundle, sources] = await Promise.all([startSandboxed({}, { main }), startSandboxed()]);
    await using _ = bundle.program;
    await using __ = sources.program;
    const read = async (url: string, path: string) => {
      const response = await fetch(`${url}${path}`);
      const { status, headers } = response;
      const body = Buffer.from(await response.arrayBuffer());
      return { path, status, type: headers.get('content-type'), body: status === 200 ? body : null };
    };
    for (const path of PATHS) {
      const [built, expected] = await Promise.all([read(bundle.url, path), read(sources.url, path)]);
      assert.deepEqual(built, expected);
    }
    assert.equal(bundle.program.stderr, '');
  });

  it('takes an upload, and stops at SIGTERM', async () => {
    const { program, url } = await startSandboxed({}, { main });
    await using _ = program;
    const [, conversationId = '', contactId = ''] = await program.until(
      /conversationId=(\w+) -F contactId=(\w+)/,
    );
    const form = new FormData();
    form.append('conversationId', conversationId);
    form.append('contactId', contactId);
    const picture = await readFile(join(ROOT, 'web/sample.png'));
    form.append('fileAttachment', new Blob([picture], { type: 'image/png' }), 'sample.png');
    const response = await fetch(`${url}/api/messages/upload`, { method: 'POST', body: form });
    assert.equal(response.status, 200, await response.clone().text());
    const { uploadedFiles } = (await response.json()) as { uploadedFiles: Record<string, string> };
    const stored = await fetch(uploadedFiles['sample.png'] ?? '');
    assert.deepEqual(Buffer.from(await stored.arrayBuffer()), picture);
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, { code: 0, signal: null });
  });

  it('has a source map, and the licences of what is in it', async () => {
    const { sources } = JSON.parse(await readFile(join(folder.path, 'dist/main.js.map'), 'utf8')) as {
      sources: string[];
    };
    assert(sources.some((path) => path.endsWith('server/app.ts')));
    const licences = await readFile(join(folder.path, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['express', 'multer', 'pino', 'swagger-ui-dist']) {
      assert.match(licences, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'));
    }
  });
});

describe('bin/preflight.js', () => {
  /** Runs the check as Node `version`. */
  async function check(version: string): Promise<{ code: number; stderr: string }> {
    await using folder = await tempFolder();
    const fake = join(folder.path, 'fake.mjs');
    const versions = JSON.stringify({ ...process.versions, node: version });
    await writeFile(fake, `Object.defineProperty(process, 'versions', { value: ${versions} });\n`);
    const args = ['--import', fake, join(ROOT, 'bin/preflight.js')];
    return await run(process.execPath, args).then(
      ({ stderr }) => ({ code: 0, stderr }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
    );
  }

  for (const version of ['18.19.0', '20.20.2', '22.19.0', '24.4.1']) {
    it(`says which Node is needed and exits 78 on Node ${version}`, async () => {
      assert.deepEqual(await check(version), {
        code: 78,
        stderr: `leadway-bff needs Node 24.5 or newer, this is ${version}\n`,
      });
    });
  }

  for (const version of ['24.5.0', '24.21.0', '26.0.0']) {
    it(`lets Node ${version} pass`, async () => {
      assert.deepEqual(await check(version), { code: 0, stderr: '' });
    });
  }

  it('asks for the Node that package.json asks for', async () => {
    const { engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    assert.equal(engines.node, '>=24.5');
  });

  it('runs before the program in npm start and in the binary', async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    assert.match(scripts.start, /--import \.\/bin\/preflight\.js server\/main\.ts$/);
    const [first] = (await readFile(join(ROOT, 'bin/leadway-bff.js'), 'utf8')).match(/^import .*/m) ?? [];
    assert.equal(first, "import './preflight.js';");
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, minify } from 'vite';
import { bundleForBrowsers } from '../../scripts/browser-bundles.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAX_BYTES = 8 * 1024;

/** Everything that an entry point pulls in, as a page would load it: one module, minified, gzipped; in bytes. */
async function sizeOf(entry: string): Promise<number> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    root: ROOT,
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      lib: { entry: `${ROOT}client/${entry}.ts`, formats: ['es'] },
      rolldownOptions: { external: ['react'] },
    },
  });
  const [{ output } = { output: [] }] = [built].flat() as { output: { code?: string }[] }[];
  const [{ code = '' } = {}] = output;
  assert.equal(output.length, 1);
  const small = await minify('client.js', code, { module: true });
  assert.equal(small.errors.length, 0);
  return gzipSync(small.code, { level: 9 }).length;
}

describe('the size of the client', function () {
  this.timeout(60_000);

  it('is at most 8 KiB, minified and gzipped', async () => {
    const bytes = await sizeOf('index');
    assert(bytes > 1024 && bytes <= MAX_BYTES, `${bytes} bytes`);
  });

  it('is what the README says', async () => {
    const stated = /<!-- client-size -->([\d.]+) KiB<!--/.exec(readFileSync(`${ROOT}README.md`, 'utf8'))?.[1];
    assert.equal(stated, ((await sizeOf('index')) / 1024).toFixed(1));
  });

  it('is at most 20 KiB with the element', async () => {
    const bytes = gzipSync(await bundleForBrowsers('element.js'), { level: 9 }).length;
    assert(bytes > 10 * 1024 && bytes <= 20 * 1024, `${bytes} bytes`);
  });

  it('grows by less than 1 KiB with the store for lists', async () => {
    const bytes = await sizeOf('store');
    assert(bytes > 256 && bytes < 1024, `${bytes} bytes`);
  });
});

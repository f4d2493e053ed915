import assert from 'node:assert/strict';
import { createSandbox } from '../../sandbox/index.ts';
import { loadConfig } from '../../server/config/config.ts';
import { DEFAULT_ALLOWED } from '../../server/file-types/file-types.ts';
import { MODES } from '../../server/uploads/mode.ts';
import { documents, isThere, quotedIn, read } from './documents.ts';

const readme = read('README.md');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

describe('README.md', () => {
  it('names the two commands, and the picture', () => {
    assert.match(readme, /^npm ci && npm start$/m);
    assert.match(readme, /^npm ci && npm test$/m);
    assert(isThere('docs/images/demo.png'));
  });

  it('shows the ids that the sandbox knows', async () => {
    const sandbox = await createSandbox();
    await sandbox.close();
    for (const text of [readme, read('docs/inicio-rapido.md')]) {
      assert(text.includes(`-F conversationId=${sandbox.conversationId} -F contactId=${sandbox.contactId}`));
    }
    assert(isThere('web/sample.png'));
  });

  it('has a row for every mode but auto', () => {
    const rows = [...readme.matchAll(/^\| `(\w+)` \|/gm)].map(([, mode]) => mode);
    assert.deepEqual(rows.toSorted(), MODES.filter((mode) => mode !== 'auto').toSorted());
  });

  it('tells the limits that hold by default', () => {
    const loaded = loadConfig({});
    assert(loaded.ok);
    const { uploads, rateLimit, forward } = loaded.config;
    assert.equal(rateLimit.windowMs, 60_000);
    const { maxFiles, maxConcurrent, maxConcurrentPerClient } = uploads;
    assert(readme.includes(`${maxFiles} files per request, ${rateLimit.max} requests per minute and`));
    assert(readme.includes(`${maxConcurrentPerClient} uploads at once per client, ${maxConcurrent} in all`));
    assert(readme.includes(`\`FORWARD_MAX_BYTES\`, ${forward.maxBytes / 1024 ** 2} MiB by default`));
    assert(readme.includes(`${DEFAULT_ALLOWED.length} extensions`));
  });
});

describe('every document', () => {
  it('names only commands that package.json has', () => {
    const builtIn = new Set(['ci', 'create', 'install', 'pack', 'run']);
    let commands = 0;
    for (const path of documents()) {
      for (const [, run, name = ''] of codeIn(read(path)).matchAll(/\bnpm (run )?([a-z][a-z-]*)/g)) {
        if (run === undefined && builtIn.has(name)) continue;
        assert(Object.hasOwn(scripts, name), `${path}: npm ${run ?? ''}${name}`);
        commands += 1;
      }
    }
    assert(commands > 15);
  });
});

/** What is set as code: fenced blocks and what stands in backticks. */
function codeIn(text: string): string {
  const blocks = [...text.matchAll(/```.*?```/gs)].map(([block]) => block);
  return [...blocks, ...quotedIn(text)].join('\n');
}

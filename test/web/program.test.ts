import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage } from '../helpers/browser.ts';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));
const SAMPLE = fileURLToPath(new URL('../../web/sample.png', import.meta.url));

describe('the program without a token', function () {
  this.timeout(40_000);
  let browser: Browser | null = null;
  before(async function () {
    browser = await launchBrowser();
    if (browser === null) this.skip();
  });
  after(() => browser?.close());

  it('prints the address of a page that uploads a picture and shows it', async () => {
    assert(browser);
    const program = spawn(process.execPath, [MAIN], {
      cwd: tmpdir(), // where no .env lies
      env: { HOST: '127.0.0.1', PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const left = once(program, 'exit');
    try {
      const url = await printedPage(program.stdout);
      program.stdout.resume(); // what it still prints must find a reader
      await using watched = await openPage(browser, url);
      const { page, complaints } = watched;
      await page.locator('#files').setInputFiles(SAMPLE);
      await page.locator('.badge img').waitFor();
      const link = await page.locator('.done a').getAttribute('href');
      const served = await fetch(String(link));
      assert.deepEqual(Buffer.from(await served.arrayBuffer()), readFileSync(SAMPLE));
      assert.deepEqual(complaints, []);
    } finally {
      program.kill('SIGTERM');
    }
    assert.deepEqual(await left, [0, null]);
  });
});

/** The address in the line `page    http://…` of the program's introduction. */
async function printedPage(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const [, url] = /^page\s+(\S+)$/.exec(line) ?? [];
    if (url === undefined) continue;
    return url;
  }
  throw new Error('the program ended without having named its page');
}

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openPage } from '../helpers/browser-page.ts';
import { linkOf, pickFiles, READY, SAMPLE } from './visit.ts';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

describeInBrowsers('the program without a token', (browser) => {
  it('prints the address of a page that uploads a picture and shows it', async () => {
    const program = spawn(process.execPath, [MAIN], {
      cwd: tmpdir(), // where no .env lies
      env: { HOST: '127.0.0.1', PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const left = once(program, 'exit');
    try {
      const url = await printedPage(program.stdout);
      program.stdout.resume(); // or the program would block once the pipe is full
      await using watched = await openPage(browser(), url, { ready: READY });
      const { page, complaints } = watched;
      await pickFiles(page, SAMPLE);
      await page.waitForSelector('#upload >>> .thumbnail canvas');
      const link = await linkOf(page);
      const served = await fetch(link);
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

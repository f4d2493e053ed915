import assert from 'node:assert/strict';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../sandbox/index.ts';
import { describeInBrowsers } from '../helpers/browser.ts';
import { freePort } from '../helpers/free-port.ts';
import { startServerProcess } from '../helpers/server-process.ts';
import { createSite } from '../helpers/site.ts';
import { assertHonest } from './honest-progress.ts';
import { openSite, type Stage } from './stage.ts';

const BYTES = 12_000_000;

describeInBrowsers('a restart of the server', (browser) => {
  it('in the middle of a file is survived by a retry', () =>
    withRestarts({ readBytesPerSecond: 16_000_000 }, async ({ stage, sandbox, restart }) => {
      await stage.make({ name: 'a.txt', bytes: BYTES });
      await stage.begin({ mode: 'forward', channel: 'WHATSAPP' }, { retries: 20, retryDelayMs: 100 });
      await sandbox.waitFor((requests) => requests.some(({ bodyBytes }) => bodyBytes > 1_000_000));
      await restart();
      assert.equal((await stage.done()).mode, 'forward');
      const samples = await stage.history();
      assertHonest(samples, BYTES);
      assert((samples.at(-1)?.attempt ?? 0) > 1);
      const uploads = sandbox.requests.filter(({ path }) => path.endsWith('/upload'));
      assert.equal(uploads.filter(({ complete }) => complete).length, 1, 'Leadway has got it once');
    }));

  it('after the file is in storage costs a second one, since its ticket is lost', () =>
    withRestarts({ fault: 'once-complete-never-answers' }, async ({ stage, sandbox, restart }) => {
      await stage.make({ name: 'a.txt', bytes: 2_000_000 });
      await stage.begin({ mode: 'direct', channel: 'WHATSAPP' }, { retries: 20, retryDelayMs: 100 });
      await sandbox.waitFor((requests) => requests.some(({ path }) => path.endsWith('/complete')));
      await restart();
      const { mode, url } = await stage.done();
      assert.equal(mode, 'direct');
      assert.equal((await (await fetch(url)).text()).length, 2_000_000);
      assertHonest(await stage.history(), 2_000_000);
    }));

  async function withRestarts(
    options: SandboxOptions,
    steps: (given: { stage: Stage; sandbox: Sandbox; restart: () => Promise<void> }) => Promise<void>,
  ): Promise<void> {
    await using site = await createSite();
    await using sandbox = await createSandbox(options);
    const env = {
      PORT: String(await freePort()),
      ALLOWED_ORIGINS: site.origin,
      FORWARD_MAX_BYTES: String(BYTES),
      SHUTDOWN_GRACE_MS: '0',
      LOG_LEVEL: 'info',
    };
    let server = await startServerProcess(sandbox, env);
    try {
      const { conversationId, contactId } = sandbox;
      await using stage = await openSite(browser(), site, `${server.url}/api`, { conversationId, contactId });
      const restart = async () => {
        await server[Symbol.asyncDispose]();
        server = await startServerProcess(sandbox, env);
      };
      await steps({ stage, sandbox, restart });
    } finally {
      await server[Symbol.asyncDispose]();
    }
  }
});

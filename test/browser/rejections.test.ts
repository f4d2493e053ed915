import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { seen } from '../helpers/direct-steps.ts';
import { openStage, type ServedStage } from './stage.ts';

const MIB = 1024 * 1024;
const LARGE = { FORWARD_MAX_BYTES: String(100 * MIB) };
/** A Windows program that says it is a PDF. */
const FAKE_PDF = {
  name: 'invoice.pdf',
  type: 'application/pdf',
  bytes: 50_000_000,
  head: [0x4d, 0x5a, 0x90, 0x00],
};
const MODES = {
  'same origin': ['forward', 'direct'],
  'another origin': ['forward', 'direct', 'relay'],
} as const;

describeInBrowsers('a rejection', (browser, kind) => {
  describe('of 50 MB is shown as a 415, though it comes before they are sent', () => {
    for (const origin of ['same origin', 'another origin'] as const) {
      let stage: ServedStage;
      before(async () => {
        stage = await openStage(browser(), origin, { env: LARGE });
        await stage.make(FAKE_PDF);
      });
      after(() => stage?.[Symbol.asyncDispose]());

      for (const mode of MODES[origin]) {
        it(`by ${mode} from ${origin}`, async () => {
          const { testServer } = stage;
          await stage.begin({ mode, channel: 'WHATSAPP' });
          const { error, code, status, message } = await stage.failed();
          assert.deepEqual([error, status, code], ['UploadError', 415, 'TYPE_MISMATCH']);
          assert.match(message, /^invoice\.pdf is not a PDF: it looks like a Windows program\./);
          assert.deepEqual(seen(testServer, 'put'), []);
          await testServer.assertClean();
        });
      }
    }
  });

  // Firefox reads no response before it has sent everything, and Leadway gets no leading bytes to reject.
  if (kind !== 'firefox') {
    it('of Leadway, which comes while 50 MB are on their way, is shown as its own', async () => {
      await using stage = await openStage(browser(), 'another origin', { env: LARGE });
      const { testServer } = stage;
      testServer.sandbox.fault = 'upload-early-413';
      await stage.make({ name: 'a.txt', bytes: 50_000_000 });
      await stage.begin({ mode: 'forward' }, { retries: 0 });
      const { status, code } = await stage.failed();
      assert.deepEqual([status, code], [413, 'UPSTREAM_REJECTED']);
      await testServer.assertClean();
    });
  }

  it('before the first byte, without a session, is reported as a 401 and not as a network error', async () => {
    await using stage = await openStage(browser(), 'another origin', {
      env: { ...LARGE, AUTH: 'sso', SSO_SHARED_SECRET: 's'.repeat(32), SESSION_SECRETS: 't'.repeat(32) },
    });
    await stage.make({ name: 'a.txt', bytes: 20_000_000 });
    await stage.begin({ mode: 'forward' }, { retries: 0 });
    const { status, code } = await stage.failed();
    assert.deepEqual([status, code], [401, 'UNAUTHENTICATED']);
    await stage.testServer.assertClean();
  });
});

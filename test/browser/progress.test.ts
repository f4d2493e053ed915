import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { assertHonest } from './honest-progress.ts';
import { openStage } from './stage.ts';

/** More than what lies in the buffers of browser and systems at once. */
const BYTES = 16_000_000;

describeInBrowsers('progress', (browser) => {
  for (const mode of ['forward', 'direct', 'relay'] as const) {
    it(`of ${mode} only grows, passes every phase in order and ends at 1`, async () => {
      await using stage = await openStage(browser(), 'another origin', {
        env: { FORWARD_MAX_BYTES: String(BYTES) },
        sandbox: { readBytesPerSecond: 32_000_000, discardFiles: true },
      });
      await stage.make({ name: 'a.txt', bytes: BYTES });
      await stage.begin({ mode, channel: 'WHATSAPP' });
      await stage.done();
      const samples = await stage.history();
      assertHonest(samples, BYTES);
      const between = samples.filter(({ fraction }) => fraction > 0 && fraction < 1);
      assert(between.length > 0, 'there is something between nothing and all');
      assert.deepEqual([...new Set(samples.map(({ attempt }) => attempt))], [1]);
      assert.equal(samples.at(-1)?.mode, mode);
    });
  }

  it('of several files is each its own', async () => {
    await using stage = await openStage(browser());
    const sizes = [1_000_000, 10, 500_000, 70_000];
    await stage.make(...sizes.map((bytes, place) => ({ name: `${place}.txt`, bytes })));
    await stage.begin({}, { concurrency: 2 });
    await stage.end();
    for (const [place, bytes] of sizes.entries()) assertHonest(await stage.history(place), bytes);
    await stage.testServer.assertClean({ completeUploads: 4 });
  });
});

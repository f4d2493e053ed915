import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { seen } from '../helpers/direct-steps.ts';
import { assertHonest } from './honest-progress.ts';
import { openStage } from './stage.ts';

const FILES = 100;

describeInBrowsers('a queue', (browser) => {
  it('of 100 files under a rate limit all arrives, each once', async () => {
    await using stage = await openStage(browser(), 'another origin', {
      env: { RATE_LIMIT_MAX: '25', RATE_LIMIT_WINDOW_MS: '2000' },
    });
    const { testServer } = stage;
    const names = Array.from({ length: FILES }, (_, place) => `${place}.txt`);
    await stage.make(...names.map((name, place) => ({ name, bytes: 1_000 + place })));
    await stage.begin({}, { concurrency: 6 });
    const outcomes = await stage.end();
    assert.deepEqual(
      outcomes.map(({ error, code, name }) => error + code + name),
      names,
    );
    assert(
      testServer.log.entries.some(({ code }) => code === 'RATE_LIMITED'),
      'the limit was met',
    );
    const sizes = seen(testServer, 'upload').map(({ files }) => files?.[0]?.size ?? 0);
    assert.deepEqual(
      sizes.toSorted((a, b) => a - b),
      names.map((_, place) => 1_000 + place),
    );
    for (const place of names.keys()) assertHonest(await stage.history(place), 1_000 + place);
    await testServer.assertClean({ completeUploads: FILES });
  });
});

import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { seen } from '../helpers/direct-steps.ts';
import { createRandom } from '../helpers/random.ts';
import { settled } from '../helpers/test-server.ts';
import { openStage, type ServedStage } from './stage.ts';

/** Well beyond what buffers on the way hold, so that what the page has sent has not all arrived. */
const FILE = { name: 'a.txt', bytes: 16_000_000 };
const SEED = 8;
/** Browsers tell of progress in leaps: behind this the next they tell may be that all is done. */
const LAST_POINT = 0.8;

describeInBrowsers('cancelling', (browser) => {
  let stage: ServedStage;
  before(async () => {
    stage = await openStage(browser(), 'another origin', {
      env: { FORWARD_MAX_BYTES: String(FILE.bytes) },
      sandbox: { readBytesPerSecond: 32_000_000, discardFiles: true },
    });
  });
  beforeEach(() => stage.testServer.sandbox.reset());
  after(() => stage?.[Symbol.asyncDispose]());

  for (const [mode, step, points] of [
    ['forward', 'upload', Array.from({ length: 4 }, createRandom(SEED))],
    ['direct', 'put', Array.from({ length: 3 }, createRandom(SEED + 1))],
    ['relay', 'put', Array.from({ length: 2 }, createRandom(SEED + 2))],
  ] as const) {
    describe(`${mode} leaves nothing behind`, () => {
      it('when its first bytes have arrived', async () => {
        const { testServer } = stage;
        await stage.make(FILE);
        await stage.begin({ mode, channel: 'WHATSAPP' });
        await testServer.sandbox.waitFor(() => (seen(testServer, step)[0]?.bodyBytes ?? 0) > 0);
        await stage.cancel();
        await assertLeftNothing();
      });

      for (const point of points.map((fraction) => fraction * LAST_POINT)) {
        it(`when the page shows ${Math.round(point * 100)} %`, async () => {
          await stage.make(FILE);
          await stage.begin({ mode, channel: 'WHATSAPP' }, {}, point);
          await assertLeftNothing();
        });
      }
    });
  }

  it('while waiting for a signed URL sends nothing to storage', async () => {
    const { testServer } = stage;
    testServer.sandbox.fault = 'initiate-never-answers';
    await stage.make(FILE);
    await stage.begin({ mode: 'direct', channel: 'WHATSAPP' });
    await testServer.sandbox.waitFor(() => seen(testServer, 'initiate').length === 1);
    await stage.cancel();
    await assertLeftNothing();
    assert.deepEqual(seen(testServer, 'put'), []);
  });

  it('ends what waits in the queue without a request', async () => {
    const { testServer } = stage;
    await stage.make(...['a', 'b', 'c'].map((name) => ({ ...FILE, name: `${name}.txt` })));
    await stage.begin({ mode: 'forward', channel: 'WHATSAPP' }, { concurrency: 1 });
    await testServer.sandbox.waitFor(() => seen(testServer, 'upload').length === 1);
    await stage.cancel();
    assert.deepEqual(
      (await stage.end()).map(({ error }) => error),
      ['AbortError', 'AbortError', 'AbortError'],
    );
    await testServer.assertClean();
    assert.equal(seen(testServer, 'upload').length, 1);
  });

  /** No complete request of a file, no object in storage, and the server has let go of everything. */
  async function assertLeftNothing(): Promise<void> {
    const { testServer } = stage;
    assert.equal((await stage.failed()).error, 'AbortError');
    await settled(() => testServer.server.context.slots.taken === 0, 'every upload slot is free');
    await testServer.assertClean();
    for (const put of seen(testServer, 'put')) assert(!put.complete, 'storage has got a whole file');
    assert.deepEqual(seen(testServer, 'complete'), []);
    const history = await stage.history();
    assert(!history.some(({ phase }) => phase === 'done'));
  }
});

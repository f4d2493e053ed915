import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openStage, type ServedStage } from './stage.ts';

const ORIGINS = ['same origin', 'another origin', 'another site'] as const;

describeInBrowsers('a page', (browser) => {
  for (const origin of ORIGINS) {
    describe(
      origin === 'same origin' ? 'of the same origin uploads' : `of ${origin} that is allowed uploads`,
      () => {
        let stage: ServedStage;
        before(async () => {
          stage = await openStage(browser(), origin);
        });
        beforeEach(() => stage.testServer.sandbox.reset());
        after(() => stage?.[Symbol.asyncDispose]());

        for (const mode of ['forward', 'direct', 'relay'] as const) {
          it(`by ${mode}`, async () => {
            await stage.make({ name: 'a.txt', bytes: 300_000 });
            await stage.begin({ mode });
            const done = await stage.done();
            assert.deepEqual([done.name, done.mode], ['a.txt', mode]);
            assert.equal((await (await fetch(done.url)).text()).length, 300_000);
            await stage.testServer.assertClean({ completeUploads: mode === 'forward' ? 1 : 0 });
          });
        }

        it('with its own cookies and headers', async () => {
          await stage.make({ name: 'a.txt', bytes: 300_000 });
          await stage.begin({}, { credentials: 'include', headers: { Authorization: 'Bearer of-the-app' } });
          await stage.done();
          await stage.testServer.assertClean({ completeUploads: 1 });
        });
      },
    );
  }

  describe('of an origin that is not allowed gets nothing through', () => {
    it('by the client, which names the setting that would allow it', async () => {
      await using stage = await openStage(browser(), 'an origin not allowed');
      const { testServer } = stage;
      for (const mode of ['forward', 'direct', 'relay'] as const) {
        await stage.make({ name: 'a.txt', bytes: 300_000 });
        await stage.begin({ mode }, { retries: 1 });
        const { error, code, status, message } = await stage.failed();
        assert.deepEqual([error, code, status], ['UploadError', 'SERVER_NOT_FOUND', 0]);
        assert.match(message ?? '', /add .* to its ALLOWED_ORIGINS\.$/);
      }
      assert.deepEqual(testServer.sandbox.requests, []);
      await testServer.assertClean();
    });

    it('by a form, for which browsers ask no leave', async () => {
      await using stage = await openStage(browser(), 'an origin not allowed');
      const { testServer } = stage;
      await stage.page.evaluate(
        async (url, fields) => {
          const body = new FormData();
          for (const [name, value] of Object.entries(fields)) body.append(name, value);
          body.append('fileAttachment', new File(['Hello'], 'a.txt', { type: 'text/plain' }));
          const json = JSON.stringify({ ...fields, filename: 'a.txt', contentType: 'text/plain' });
          const about = { method: 'POST', mode: 'no-cors', credentials: 'include' } as const;
          // The response is kept from the page, but that is not what stops the form.
          await fetch(url, { ...about, body }).catch(() => {});
          await fetch(`${url}/initiate`, { ...about, body: json }).catch(() => {});
        },
        `${testServer.api}/messages/upload`,
        testServer.fields,
      );
      const rejected = testServer.log.entries.filter(({ code }) => code === 'ORIGIN_NOT_ALLOWED');
      assert.equal(rejected.length, 2);
      assert.deepEqual(testServer.sandbox.requests, []);
      await testServer.assertClean();
    });
  });
});

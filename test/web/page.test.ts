import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { describeInBrowsers } from '../helpers/browser.ts';
import type { TestServer } from '../helpers/test-server.ts';
import {
  bring,
  chooseRadio,
  type Entrance,
  film,
  impostor,
  linkOf,
  note,
  pickFiles,
  pickFolder,
  press,
  pressIn,
  rehearse,
  reopenWithoutServer,
  SAMPLE,
  sendSample,
  textIn,
  textsIn,
  visit,
  waitForCards,
} from './visit.ts';

const MIB = 1024 * 1024;
const FINE = '.card[data-state=done] .fine';

describeInBrowsers('the page', (browser) => {
  it('uploads a picture, shows it and links to it', () =>
    visit(browser(), async (page, testServer) => {
      await pickFiles(page, SAMPLE);
      const served = await fetch(await linkOf(page));
      assert.equal(served.headers.get('content-type'), 'image/png');
      assert.deepEqual(Buffer.from(await served.arrayBuffer()), readFileSync(SAMPLE));
      await page.waitForSelector('#upload >>> .thumbnail canvas');
      assert.equal(await textIn(page, '[role=status]'), 'sample.png is uploaded.');
      await testServer.assertClean({ completeUploads: 1 });
    }));

  it('draws on a ring how much of a file has gone', () =>
    visit(browser(), async (page) => {
      await chooseRadio(page, 'channel', 'WHATSAPP');
      await rehearse(page, 'storage-stops-reading');
      await bring(page, 'picker', film(16_000_000));
      await waitForCards(page, 'uploading');
      await page.waitForFunction(() => {
        const root = document.querySelector('leadway-upload')?.shadowRoot;
        const ring = root?.querySelector('.sent');
        const value = Number(root?.querySelector('.card [role=progressbar]')?.ariaValueNow) / 100;
        const left = ring ? Number.parseFloat(getComputedStyle(ring).strokeDashoffset) : 0;
        return value > 0 && value < 1 && Math.abs(1 - value - left) < 0.01;
      });
    }));

  it('tells an agent that a 60 MB phone video will not arrive on WhatsApp, before it is uploaded', () =>
    visit(browser(), async (page, testServer) => {
      await chooseRadio(page, 'channel', 'WHATSAPP');
      await bring(page, 'picker', film(60 * MIB, 'VID_20261126.mp4'));
      await waitForCards(page, 'failed');
      assert.equal(
        await textIn(page, '.card .line'),
        'The file is 60 MB. This channel delivers such files up to 16 MB. So VID_20261126.mp4 would not be delivered.',
      );
      assert.deepEqual(testServer.sandbox.requests, [], 'nothing was sent');
      await press(page, '#language');
      await bring(page, 'picker', film(60 * MIB, 'VID_2.mp4'));
      await waitForCards(page, 'failed', 2);
      assert.match(
        (await textsIn(page, '.card .line'))[1] ?? '',
        /^El archivo ocupa 60 MB\. .* 16 MB .*VID_2\.mp4 no se entregaría\.$/,
      );
      assert.deepEqual(await textsIn(page, '.retry:not([hidden])'), [
        'Subir de todos modos',
        'Subir de todos modos',
      ]);
      await pressIn(page, '.retry');
      await waitForCards(page, 'done');
      // What the server says in the end replaces the warning, and is as clear.
      assert.match(await textIn(page, '[data-state=done] .warning'), /^El archivo ocupa 60 MB\./);
    }));

  for (const entrance of ['picker', 'drop', 'paste'] satisfies Entrance[]) {
    it(`takes several files by ${entrance}, each by its own request`, () =>
      visit(browser(), async (page, testServer) => {
        const names = ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt'];
        await bring(page, entrance, ...names.map(note));
        await waitForCards(page, 'done', names.length);
        assert.deepEqual(await textsIn(page, '.name'), names);
        await testServer.assertClean({ completeUploads: names.length });
      }));
  }

  it('sends each of its samples', () =>
    visit(browser(), async (page, testServer) => {
      for (const sample of ['picture', 'film', 'expired', 'impostor']) await sendSample(page, sample);
      await waitForCards(page, 'done', 3);
      await waitForCards(page, 'failed');
      await testServer.assertClean({ completeUploads: 1 });
    }));
});

describeInBrowsers(
  'the page and the modes',
  (browser) => {
    it('shows why a file is rejected while 50 MB of it are in flight', () =>
      visit(
        browser(),
        async (page, testServer) => {
          await chooseRadio(page, 'channel', 'WHATSAPP');
          await bring(page, 'picker', impostor(50_000_000));
          assert.match(
            await textIn(page, '.card[data-state=failed] .line'),
            / is not a PDF: it looks like a Windows program\./,
          );
          assert.match(await textIn(page, '.fine'), /^TYPE_MISMATCH, \S+$/);
          await testServer.assertClean();
        },
        { testServer: { env: { FORWARD_MAX_BYTES: String(100 * MIB) } } },
      ));

    it('puts a large video straight into storage, and sends us only its leading bytes', () =>
      visit(browser(), async (page, testServer) => {
        await uploadFilm(page, 12_000_000);
        assert.match(await textIn(page, FINE), /straight\sto\sstorage/);
        assert.deepEqual(pathsOf(testServer), ['initiate', 'PUT', 'complete']);
        const served = await fetch(await linkOf(page));
        assert.equal((await served.arrayBuffer()).byteLength, 12_000_000);
        await testServer.assertClean();
      }));

    it('relays a file through the server into storage', () =>
      visit(browser(), async (page, testServer) => {
        await chooseRadio(page, 'mode', 'relay');
        await uploadFilm(page, 8_000_000);
        assert.match(await textIn(page, FINE), /to\sstorage\sthrough\sthe\sserver/);
        assert.deepEqual(pathsOf(testServer), ['initiate', 'PUT', 'complete']);
        await testServer.assertClean();
      }));

    it('forwards the whole file where Leadway offers no signed URLs', () =>
      visit(
        browser(),
        async (page, testServer) => {
          await rehearse(page, 'no-initiate');
          await uploadFilm(page, 8_000_000);
          assert.match(await textIn(page, FINE), /, through\sthe\sserver/);
          await testServer.assertClean({ completeUploads: 1 });
        },
        { testServer: { env: { FORWARD_FALLBACK_MAX_BYTES: '10000000' } } },
      ));

    it('says so when the server can’t be reached', () =>
      visit(browser(), async (page) => {
        await reopenWithoutServer(page);
        assert.match(await textIn(page, '.limits.wrong'), /^Nothing responds at/);
      }));
  },
  ['chromium'],
);

describeInBrowsers(
  'the page and folders',
  (browser) => {
    let folder = '';
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'leadway-bff-test-'));
      await mkdir(join(folder, 'holiday', 'beach'), { recursive: true });
      for (const name of ['one.txt', '.DS_Store', 'beach/two.txt', 'beach/three.txt']) {
        await writeFile(join(folder, 'holiday', name), `Text of ${name}`);
      }
    });
    after(async () => {
      // The hook before does not run without a browser.
      if (folder !== '') await rm(folder, { recursive: true });
    });

    it('takes what is in a chosen folder and in those within, without what systems leave there', () =>
      visit(browser(), async (page, testServer) => {
        await pickFolder(page, join(folder, 'holiday'));
        await assertHoliday(page, testServer);
      }));

    it('takes what is in a dropped folder and in those within', () =>
      visit(browser(), async (page, testServer) => {
        const cdp = await page.createCDPSession();
        const files = [join(folder, 'holiday')];
        for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
          const data = { items: [], files, dragOperationsMask: 1 };
          await cdp.send('Input.dispatchDragEvent', { type, x: 20, y: 20, data });
          // The page is covered as long as files hover above it.
          const isOver = (await page.$('#upload >>> .over .landing')) !== null;
          assert.equal(isOver, type === 'dragOver', type);
        }
        await assertHoliday(page, testServer);
      }));

    async function assertHoliday(page: Page, testServer: TestServer): Promise<void> {
      await waitForCards(page, 'done', 3);
      assert.deepEqual((await textsIn(page, '.name')).sort(), ['one.txt', 'three.txt', 'two.txt']);
      await testServer.assertClean({ completeUploads: 3 });
    }
  },
  ['chromium'], // only its driver brings folders
);

async function uploadFilm(page: Page, bytes: number): Promise<void> {
  await chooseRadio(page, 'channel', 'WHATSAPP');
  await bring(page, 'picker', film(bytes));
  await waitForCards(page, 'done');
}

/** What reached the sandbox for one large file, in order: the calls of Leadway by name, storage by method. */
function pathsOf({ sandbox }: TestServer): string[] {
  return sandbox.requests
    .filter(({ method }) => method !== 'OPTIONS' && method !== 'GET')
    .map(({ method, path }) => (method === 'PUT' ? method : (path.split('/').at(-1) ?? '')));
}

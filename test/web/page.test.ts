import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer-core';
import { describeInBrowsers } from '../helpers/browser.ts';
import { attributeOf, openPage, type PageOptions, pickFiles, textOf } from '../helpers/browser-page.ts';
import { createHouse, type House, type HouseOptions } from '../helpers/house.ts';
import { mp4 } from '../helpers/multipart.ts';

const MIB = 1024 * 1024;
const HEAD_BYTES = 64;
const SAMPLE = fileURLToPath(new URL('../../web/sample.png', import.meta.url));

/** 50 MB that are no PDF, made inside the page: the browser's driver is slow to carry files of such size. */
const FAKE_PDF = `new File(['MZ', new Uint8Array(50_000_000).fill(0x90)], 'invoice.pdf', { type: 'application/pdf' })`;

describeInBrowsers(
  'the page',
  (browser) => {
    /** Runs `steps` in a house of its own; at the end the page must have nothing to complain about. */
    async function visit(
      steps: (page: Page, house: House) => Promise<void>,
      { house: houseOptions, browser: options }: { house?: HouseOptions; browser?: PageOptions } = {},
    ): Promise<void> {
      await using house = await createHouse({ ...houseOptions, page: true });
      await using watched = await openPage(browser(), house.url, {
        ready: '#limits:not(:empty)',
        ...options,
      });
      await steps(watched.page, house);
      assert.deepEqual(watched.complaints, []);
    }

    it('uploads a picture, shows it and links to it', () =>
      visit(async (page, house) => {
        await pickFiles(page, '#files', SAMPLE);
        const served = await fetch(await attributeOf(page, '.done a', 'href'));
        assert.equal(served.headers.get('content-type'), 'image/png');
        assert.deepEqual(Buffer.from(await served.arrayBuffer()), readFileSync(SAMPLE));
        await page.waitForSelector('.badge img[src]');
        assert.equal(await page.evaluate(`document.querySelector('.badge img').naturalWidth`), 480);
        assert.equal(await textOf(page, '#status'), 'sample.png is uploaded.');
        await house.assertTidy({ completeUploads: 1 });
      }));

    it('takes several dropped files, each by its own request', () =>
      visit(async (page, house) => {
        await page.evaluate(`{
        const dataTransfer = new DataTransfer();
        for (const name of ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt']) {
          dataTransfer.items.add(new File(['Text of ' + name], name, { type: 'text/plain' }));
        }
        const where = document.querySelector('h1');
        for (const type of ['dragover', 'drop']) {
          where.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
        }
      }`);
        await page.waitForFunction(`document.querySelectorAll('.done').length === 5`);
        const names = await page.evaluate(
          `[...document.querySelectorAll('.name')].map((e) => e.textContent).sort().join()`,
        );
        assert.equal(names, 'a.txt,b.txt,c.txt,d.txt,e.txt');
        await house.assertTidy({ completeUploads: 5 });
      }));

    it('shows why a file is refused while 50 MB of it are still on their way', () =>
      visit(
        async (page, house) => {
          await choose(page, FAKE_PDF);
          assert.match(await textOf(page, '.failed .wrong'), /content of the file/);
          assert.match(await textOf(page, '.failed small'), /^TYPE_MISMATCH, request \S+$/);
          await house.assertTidy();
        },
        { house: { env: { FORWARD_MAX_BYTES: String(100 * MIB) } } },
      ));

    for (const [way, script] of Object.entries({
      fetch: `fetch(url, { method: 'POST', body }).then(async (answer) => ({ status: answer.status, ...(await answer.json()) }))`,
      XMLHttpRequest: `new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.onload = () => resolve({ status: xhr.status, ...JSON.parse(xhr.responseText) });
      xhr.onerror = () => reject(new Error('network error'));
      xhr.open('POST', url);
      xhr.send(body);
    })`,
    })) {
      it(`lets ${way} read a 415 that comes before the body has been sent`, () =>
        visit(async (page, house) => {
          const answer = await page.evaluate(`(() => {
          const body = new FormData();
          const fields = ${JSON.stringify({ ...house.fields, channel: 'WHATSAPP' })};
          for (const [name, value] of Object.entries(fields)) body.append(name, value);
          body.append('fileAttachment', ${FAKE_PDF});
          const url = '/api/messages/upload';
          return ${script};
        })()`);
          const { status, code } = answer as { status: number; code: string };
          assert.deepEqual({ status, code }, { status: 415, code: 'TYPE_MISMATCH' });
          await house.assertTidy();
        }));
    }

    it('puts a large film straight into storage, having sent us its head alone', () =>
      visit(async (page, house) => {
        await uploadFilm(page, 20_000_000);
        assert.match(await textOf(page, '.done small'), /put straight into storage/);
        assert.deepEqual(pathsOf(house), ['initiate', 'PUT', 'complete']);
        const served = await fetch(await attributeOf(page, '.done a', 'href'));
        assert.equal((await served.arrayBuffer()).byteLength, 20_000_000);
        const toUs = house.log.entries.find(({ mode }) => mode === 'direct');
        assert.equal(toUs?.['fileBytes'], 64 * 1024);
        await house.assertTidy();
      }));

    it('relays through the server what storage would not take from the page', () =>
      visit(async (page, house) => {
        house.sandbox.fault = 'once-storage-403';
        await uploadFilm(page, 8_000_000);
        assert.match(await textOf(page, '.done small'), /relayed into storage/);
        assert.deepEqual(pathsOf(house), ['initiate', 'PUT', 'PUT', 'complete']);
        await house.assertTidy();
      }));

    it('forwards the whole file where Leadway offers no signed URLs', () =>
      visit(async (page, house) => {
        house.sandbox.fault = 'no-initiate';
        await uploadFilm(page, 8_000_000);
        assert.match(await textOf(page, '.done small'), /forwarded while it streamed/);
        await house.assertTidy({ completeUploads: 1 });
      }));

    it('can be used by keyboard alone, from the file to its link', () =>
      visit(async (page, house) => {
        await page.keyboard.press('Tab');
        await page.keyboard.type('sandboxConversation01');
        for (const _ of ['contact', 'channel', 'files']) await page.keyboard.press('Tab');
        for (const [index, key] of (['Enter', ' '] as const).entries()) {
          const chooser = page.waitForFileChooser();
          await page.keyboard.press(key);
          await (await chooser).accept([SAMPLE]);
          await page.waitForFunction(`document.querySelectorAll('.done').length > ${index}`);
        }
        await page.keyboard.press('Tab');
        assert.match(String(await page.evaluate('document.activeElement.href')), /^http:.*\.png$/);
        await house.assertTidy({ completeUploads: 2 });
      }));

    it('cancels one file by keyboard and keeps the focus in its row', () =>
      visit(async (page, house) => {
        house.sandbox.fault = 'slow-body';
        await choose(page, film(4_000_000));
        await house.sandbox.waitFor((requests) => requests.length === 1);
        await page.focus('.cancel');
        await page.keyboard.press('Enter');
        await page.waitForSelector('.cancelled');
        assert.equal(await textOf(page, '.cancelled .state'), 'Cancelled');
        assert.equal(await page.evaluate('document.activeElement.className'), 'row cancelled');
        await house.assertTidy();
      }));

    it('speaks Spanish to whom prefers it, errors too, and fits a small phone', () =>
      visit(
        async (page, house) => {
          await page.locator('#conversation').fill('fault-429');
          await pickFiles(page, '#files', SAMPLE);
          assert.match(await textOf(page, '.failed small'), /^UPSTREAM_REJECTED, solicitud \S+$/);
          assert.equal(await page.evaluate('document.documentElement.lang'), 'es');
          assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
          await house.assertTidy({ completeUploads: 1 });
        },
        { browser: { locale: 'es-MX', viewport: { width: 360, height: 740 } } },
      ));

    it('says so when the server can not be reached', () =>
      visit(async (page, house) => {
        await page.setOfflineMode(true);
        await pickFiles(page, '#files', SAMPLE);
        assert.match(await textOf(page, '.failed .wrong'), /could not be reached/);
        assert.equal(await textOf(page, '.failed small'), 'NETWORK');
        await house.assertTidy();
      }));

    async function uploadFilm(page: Page, bytes: number): Promise<void> {
      await page.select('#channel', 'WHATSAPP');
      await choose(page, film(bytes));
      await page.waitForSelector('.done');
    }
  },
  ['chromium'],
);

/** Gives the file input what `file`, an expression of the page's own language, makes. */
async function choose(page: Page, file: string): Promise<void> {
  await page.evaluate(`{
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(${file});
    const input = document.querySelector('#files');
    input.files = dataTransfer.files;
    input.dispatchEvent(new Event('change'));
  }`);
}

/** Makes a film of that many bytes in the page. */
function film(bytes: number): string {
  const head = [...mp4(HEAD_BYTES)];
  return `new File([new Uint8Array(${JSON.stringify(head)}), new Uint8Array(${bytes - HEAD_BYTES})], 'film.mp4', { type: 'video/mp4' })`;
}

/** What reached the sandbox for one large file, in order: the calls of Leadway by name, storage by method. */
function pathsOf({ sandbox }: House): string[] {
  return sandbox.requests
    .filter(({ method }) => method !== 'OPTIONS' && method !== 'GET')
    .map(({ method, path }) => (method === 'PUT' ? method : (path.split('/').at(-1) ?? '')));
}

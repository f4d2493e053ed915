import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer-core';
import { rolldown } from 'rolldown';
import { read } from '../documents/documents.ts';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openPage } from '../helpers/browser-page.ts';
import { createSite } from '../helpers/site.ts';
import { createTestServer } from '../helpers/test-server.ts';
import { addFiles, openElement, pressIn, textsIn, waitForCards } from './element-page.ts';

const PICTURE = fileURLToPath(new URL('../../web/sample.png', import.meta.url));
const IMPOSTOR = { name: 'invoice.pdf', type: 'application/pdf', head: 'MZ\0', bytes: 100 };
/** More than the buffers on its way hold: it is not sent to its end by the time it is cancelled. */
const LARGE = { name: 'a.txt', bytes: 16_000_000 };
const LARGE_FORWARDS = {
  env: { FORWARD_MAX_BYTES: '16000000' },
  sandbox: { readBytesPerSecond: 10_000_000 },
};
const note = (name: string) => ({ name, head: `Text of ${name}` });

describeInBrowsers('<leadway-upload>', (browser) => {
  it('uploads what was chosen, shows it, and has its URL as value', async () => {
    await using opened = await openElement(browser());
    const { page, testServer } = opened;
    await pick(page, PICTURE);
    await waitForCards(page, 'done');
    const [url = ''] = await urlsOf(page);
    assert.equal((await fetch(url)).headers.get('content-type'), 'image/png');
    assert.deepEqual(await textsIn(page, '.name'), ['sample.png']);
    assert.deepEqual(await textsIn(page, '[role=status]'), ['sample.png is uploaded.']);
    await page.waitForFunction(() =>
      document.querySelector('leadway-upload')?.shadowRoot?.querySelector('canvas'),
    );
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('takes one file unless it is `multiple`: the next one takes its place', async () => {
    await using opened = await openElement(browser());
    const { page } = opened;
    await addFiles(page, [note('a.txt')]);
    await waitForCards(page, 'done');
    await addFiles(page, [note('b.txt'), note('c.txt')]);
    await waitForCards(page, 'done');
    assert.deepEqual(await textsIn(page, '.name'), ['b.txt']);
    assert.deepEqual(await textsIn(page, '[role=alert]'), ['Only 1 file can be added.']);
    assert.equal((await urlsOf(page)).length, 1);
  });

  it('takes no more than `max` files', async () => {
    await using opened = await openElement(browser(), { attributes: 'multiple max="2"' });
    const { page, testServer } = opened;
    await addFiles(page, ['a.txt', 'b.txt', 'c.txt'].map(note));
    await waitForCards(page, 'done', 2);
    assert.deepEqual(await textsIn(page, '[role=alert]'), ['Only 2 files can be added.']);
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('takes of the server’s types what `accept` names, and names them in words', async () => {
    await using opened = await openElement(browser(), { attributes: 'multiple accept="image/*,.pdf"' });
    const { page, testServer } = opened;
    assert.deepEqual(await textsIn(page, '.limits'), ['Pictures and PDF. Up to 5\u00a0MB each.']);
    await addFiles(page, [note('notes.txt')]);
    await waitForCards(page, 'failed');
    assert.deepEqual(await textsIn(page, '.line'), [
      'This file is not accepted here. Accepted: Pictures and PDF.',
    ]);
    await testServer.assertClean();
  });

  it('says why a file is rejected, and offers to retry only where that can help', async () => {
    await using opened = await openElement(browser(), {
      attributes: 'multiple channel="IG"',
      testServer: LARGE_FORWARDS,
    });
    const { page, testServer } = opened;
    await addFiles(page, [IMPOSTOR]);
    await waitForCards(page, 'failed');
    assert.match((await textsIn(page, '.line')).join(), /is not a PDF: it looks like a Windows program/);
    assert.deepEqual(await textsIn(page, '.retry:not([hidden])'), []);
    await pressIn(page, '.remove:not([hidden])');
    assert.deepEqual(await textsIn(page, '.name'), []);
    await addFiles(page, [LARGE]);
    await pressIn(page, '.cancel');
    await waitForCards(page, 'cancelled');
    await pressIn(page, '.retry');
    await waitForCards(page, 'done');
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('holds back what the channel will not deliver, says why, and sends it when the user wants that', async () => {
    await using opened = await openElement(browser(), { attributes: 'multiple channel="WHATSAPP"' });
    const { page, testServer } = opened;
    await addFiles(page, [{ name: 'voice.wav', head: 'RIFF' }, note('a.txt')]);
    await waitForCards(page, 'failed');
    await waitForCards(page, 'done');
    assert.deepEqual(await textsIn(page, '[data-state=failed] .line'), [
      'This channel does not deliver WAV files. It delivers AAC, AMR, MP3, M4A, OGG. So voice.wav would not be delivered.',
    ]);
    assert.equal(testServer.sandbox.requests.length, 1, 'nothing of the recording was sent');
    assert.deepEqual(await textsIn(page, '.retry:not([hidden])'), ['Upload anyway']);
    await pressIn(page, '.retry');
    // It is not a recording, which only the server can see.
    await page.waitForFunction(() =>
      document.querySelector('leadway-upload')?.items.some(({ error }) => error?.code === 'TYPE_MISMATCH'),
    );
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('warns from the beginning of what may not arrive', async () => {
    await using opened = await openElement(browser(), { attributes: 'channel="SMS"' });
    const { page } = opened;
    const warning =
      'On this channel, TXT files may arrive as a link, or not at all. It delivers JPG, PNG, GIF.';
    await addFiles(page, [note('a.txt')], { conversationId: 'fault-slow-headers' });
    await waitForCards(page, 'confirming');
    assert.deepEqual(await textsIn(page, '.warning'), [warning]);
    await waitForCards(page, 'done');
    assert.deepEqual(await textsIn(page, '.warning'), [warning]);
    assert.match((await textsIn(page, '[role=status]')).join(), /a\.txt is uploaded\. On this channel/);
  });

  describe('for a HEIC photo, which this browser can’t decode', () => {
    const photo = fileURLToPath(new URL('../fixtures/types/heic/heif-enc.heic', import.meta.url));

    it('says what it is and what to do', async () => {
      await using opened = await openElement(browser());
      const { page, testServer } = opened;
      await pick(page, photo);
      await waitForCards(page, 'failed');
      assert.match(
        (await textsIn(page, '.line')).join(),
        /^heif-enc\.heic looks like an iPhone photo \(HEIC\).*JPEG/,
      );
      await testServer.assertClean();
    });

    it('uploads the JPEG that a decoder of the page makes of it, which is loaded only then', async () => {
      const modules = { '/prepare.js': await bundle('prepare'), '/decoder.js': DECODER };
      await using opened = await openElement(browser(), { attributes: 'multiple', modules });
      const { page, testServer } = opened;
      await page.evaluate(`import('/prepare.js').then(({ heicToJpeg }) => {
        const decode = async (file) => (await import('/decoder.js')).decode(file);
        document.querySelector('leadway-upload').options = { prepare: heicToJpeg({ decode }) };
      })`);
      await page.waitForFunction(() =>
        document
          .querySelector('leadway-upload')
          ?.shadowRoot?.querySelector<HTMLInputElement>('.input-files')
          ?.accept.includes('.heic'),
      );
      await addFiles(page, [note('a.txt')]);
      await waitForCards(page, 'done');
      assert.equal(await page.evaluate('window.decoderIsLoaded'), undefined);
      await pick(page, photo);
      await waitForCards(page, 'done', 2);
      const [, url = ''] = await urlsOf(page);
      assert.match(url, /\.jpg$/);
      const stored = await fetch(url);
      assert.equal(stored.headers.get('content-type'), 'image/jpeg');
      const start = Buffer.from(await stored.arrayBuffer()).subarray(0, 3);
      assert.equal(start.toString('hex'), 'ffd8ff');
      await testServer.assertClean({ completeUploads: 2 });
    });
  });

  it('completes after a reload what was in storage, and names what has to be chosen again', async () => {
    await using opened = await openElement(browser(), { attributes: 'multiple' });
    const { page, testServer } = opened;
    await page.evaluate(() => {
      const upload = document.querySelector('leadway-upload');
      if (upload) upload.options = { confirmLeave: false };
    });
    const { sandbox } = testServer;
    sandbox.fault = 'complete-never-answers';
    await addFiles(page, [note('stored.txt')], { mode: 'direct' });
    await sandbox.waitFor((all) => all.some(({ path }) => path.endsWith('/complete')));
    sandbox.fault = 'upload-never-answers';
    await addFiles(page, [note('lost.txt')]);
    await waitForCards(page, 'confirming', 2);
    sandbox.fault = null;
    await page.reload();
    await waitForCards(page, 'done');
    assert.deepEqual(await textsIn(page, '.name'), ['stored.txt']);
    const [url = ''] = await urlsOf(page);
    assert.equal(await (await fetch(url)).text(), 'Text of stored.txt');
    await page.waitForFunction(() =>
      document
        .querySelector('leadway-upload')
        ?.shadowRoot?.querySelector('[role=alert]')
        ?.textContent?.includes('lost.txt'),
    );
  });

  it('asks the user to look before it sends what may be there already', async () => {
    await using opened = await openElement(browser());
    const { page, testServer } = opened;
    await addFiles(page, [note('a.txt')], { conversationId: 'fault-once-upload-cut' });
    await waitForCards(page, 'failed');
    assert.match((await textsIn(page, '.line')).join(), /look in the conversation before you send it again/);
    assert.deepEqual(await textsIn(page, '.retry:not([hidden])'), ['Upload anyway']);
    await pressIn(page, '.retry');
    await waitForCards(page, 'done');
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('sends the URLs with its form, and keeps the form back while files upload', async () => {
    const around = '<form><fieldset>$</fieldset><button>Send</button></form>';
    await using opened = await openElement(browser(), {
      attributes: 'multiple required name="attachments"',
      around,
    });
    const { page } = opened;
    const formOf = () =>
      page.evaluate(() => {
        const form = document.querySelector('form') as HTMLFormElement;
        return { isValid: form.checkValidity(), urls: new FormData(form).getAll('attachments').map(String) };
      });
    assert.deepEqual(await formOf(), { isValid: false, urls: [] });
    await addFiles(page, [note('a.txt')], { conversationId: 'fault-slow-headers' });
    assert.deepEqual(await formOf(), { isValid: false, urls: [] });
    assert.match(await messageOf(page), /^Wait until/);
    await waitForCards(page, 'done');
    await addFiles(page, [note('b.txt')]);
    await waitForCards(page, 'done', 2);
    assert.deepEqual(await formOf(), { isValid: true, urls: await urlsOf(page) });
    assert.equal((await urlsOf(page)).length, 2);
    await page.evaluate(() => document.querySelector('fieldset')?.toggleAttribute('disabled', true));
    await page.waitForFunction(
      () =>
        document.querySelector('leadway-upload')?.shadowRoot?.querySelector<HTMLButtonElement>('.browse')
          ?.disabled,
    );
    await page.evaluate(() => document.querySelector('form')?.reset());
    assert.deepEqual(await textsIn(page, '.name'), []);
    assert.match(await messageOf(page), /^(?:Add a file\.)?$/); // disabled controls are not validated
  });

  it('dispatches an event for all that happens, and reports when everything has settled', async () => {
    await using opened = await openElement(browser(), { attributes: 'multiple', around: '<div>$</div>' });
    const { page } = opened;
    await page.evaluate(() => {
      const seen: string[] = [];
      Object.assign(window, { seen });
      for (const type of ['upload-add', 'upload-done', 'upload-error', 'upload-end', 'change', 'input']) {
        document.querySelector('div')?.addEventListener(type, () => seen.push(type));
      }
    });
    await addFiles(page, [note('a.txt'), IMPOSTOR]);
    const urls = await page.evaluate(async () => {
      const results = (await document.querySelector('leadway-upload')?.settled()) ?? [];
      return results.map(({ url }) => url);
    });
    assert.deepEqual(urls, await urlsOf(page));
    assert.equal(urls.length, 1);
    const seen = (await page.evaluate('window.seen')) as string[];
    assert.equal(seen[0], 'upload-add');
    assert.equal(seen.at(-1), 'upload-end');
    assert.deepEqual([...seen].sort(), [
      'change',
      'input',
      'upload-add',
      'upload-done',
      'upload-end',
      'upload-error',
    ]);
  });

  it('takes what is dropped and pasted on the page with `area="body"`, but no text', async () => {
    await using opened = await openElement(browser(), { attributes: 'multiple area="body"' });
    const { page, testServer } = opened;
    await page.evaluate(() => {
      const target = document.querySelector('h1') as HTMLElement;
      const options = { bubbles: true, cancelable: true };
      const dropped = new DataTransfer();
      dropped.items.add(new File(['dropped'], 'dropped.txt'));
      target.dispatchEvent(new DragEvent('dragover', { ...options, dataTransfer: dropped }));
      target.dispatchEvent(new DragEvent('drop', { ...options, dataTransfer: dropped }));
      const text = new DataTransfer();
      text.setData('text/plain', 'some text');
      target.dispatchEvent(new DragEvent('drop', { ...options, dataTransfer: text }));
      const pasted = new DataTransfer();
      pasted.items.add(new File(['pasted'], 'pasted.txt'));
      const event = new Event('paste', options);
      Object.defineProperty(event, 'clipboardData', { value: pasted });
      target.dispatchEvent(event);
    });
    await waitForCards(page, 'done', 2);
    assert.deepEqual((await textsIn(page, '.name')).sort(), ['dropped.txt', 'pasted.txt']);
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('leaves nothing behind when it is taken out of the page', async () => {
    await using opened = await openElement(browser(), {
      attributes: 'multiple channel="IG"',
      testServer: LARGE_FORWARDS,
    });
    const { page, testServer } = opened;
    await addFiles(page, [LARGE]);
    await testServer.sandbox.waitFor((requests) => requests.length === 1);
    await page.evaluate(() => document.querySelector('leadway-upload')?.remove());
    await testServer.assertClean();
  });

  it('goes on when it is moved', async () => {
    await using opened = await openElement(browser(), { attributes: 'multiple' });
    const { page, testServer } = opened;
    await addFiles(page, [note('a.txt')], { conversationId: 'fault-slow-headers' });
    await page.evaluate(() => document.body.append(document.querySelector('leadway-upload') as HTMLElement));
    await waitForCards(page, 'done');
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('speaks Spanish where the page does, and other words where the page has its own', async () => {
    await using opened = await openElement(browser());
    const { page } = opened;
    await page.evaluate(() => {
      document.documentElement.lang = 'es-MX';
    });
    await page.waitForFunction(
      () =>
        document.querySelector('leadway-upload')?.shadowRoot?.querySelector('.heading')?.textContent ===
        'Añade un archivo',
    );
    await addFiles(page, [IMPOSTOR]);
    await waitForCards(page, 'failed');
    assert.match((await textsIn(page, '.line')).join(), /no es un PDF/);
    await page.evaluate(() => {
      const upload = document.querySelector('leadway-upload');
      if (upload) upload.texts = { choose: () => 'Examinar…' };
    });
    assert.deepEqual(await textsIn(page, '.browse'), ['Examinar…']);
  });

  it('works as docs/element.md says: as a form control, in its colours, and in a composer', async () => {
    const blocks = [...read('docs/element.md').matchAll(/^```(\w+)\n(.*?)^```$/gms)];
    // TypeScript is compiled by test/client/package.test.ts.
    assert.deepEqual(
      blocks.map(([, language]) => language),
      ['html', 'css', 'tsx', 'js'],
    );
    const [html = '', css = '', , script = ''] = blocks.map(([, , code]) => code);
    await using site = await createSite();
    await using testServer = await createTestServer({ env: { ALLOWED_ORIGINS: site.origin } });
    const { api } = testServer;
    const form = html.replace('/api/', `${api}/`).replace('<leadway-upload', `$& endpoint="${api}"`);
    const page = `<!doctype html><html lang="en"><title>Page</title><style>${css}</style>${form}
      <script>${script} const sendMessage = (message) => { window.message = message; };</script>`;
    site.files.set('/', ['text/html', page]);
    await using opened = await openPage(browser(), `${site.origin}/`);
    await addFiles(opened.page, [note('a.txt'), note('b.txt')]);
    await waitForCards(opened.page, 'done', 2);
    const urls = await urlsOf(opened.page);
    const seen = await opened.page.evaluate(async () => {
      const data = new FormData(document.querySelector('form') as HTMLFormElement);
      const button = document.querySelector('leadway-upload')?.shadowRoot?.querySelector('.browse');
      const colour = button && getComputedStyle(button).backgroundColor;
      const { send } = window as unknown as { send(text: string): Promise<void> };
      await send('Hello');
      return {
        sent: data.getAll('attachments'),
        colour,
        left: document.querySelector('leadway-upload')?.value,
      };
    });
    assert.deepEqual(seen, { sent: urls, colour: 'rgb(98, 0, 238)', left: [] });
    assert.deepEqual(await opened.page.evaluate('window.message'), { text: 'Hello', attachments: urls });
    assert.deepEqual(opened.complaints, []);
  });

  it('needs nothing that a strict policy forbids', async () => {
    await using opened = await openElement(browser(), {
      policy:
        "default-src 'none'; script-src $; style-src 'self'; connect-src $; img-src *; require-trusted-types-for 'script'",
    });
    const { page } = opened;
    await pick(page, PICTURE);
    await waitForCards(page, 'done');
    const padding = await page.evaluate(() => {
      const drop = document.querySelector('leadway-upload')?.shadowRoot?.querySelector('.drop');
      return drop ? getComputedStyle(drop).borderStyle : '';
    });
    assert.equal(padding, 'dashed');
  });
});

/** In place of a real one, which has megabytes: takes HEIC only, and makes a JPEG. */
const DECODER = `
  window.decoderIsLoaded = true;
  export async function decode(file) {
    const start = await file.slice(4, 12).text();
    if (start !== 'ftypheic' && start !== 'ftypmif1') throw new Error('no HEIC: ' + start);
    const canvas = document.createElement('canvas');
    canvas.getContext('2d').fillRect(0, 0, 10, 10);
    return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg'));
  }`;

/** An entry of the client as one module. */
async function bundle(entry: string): Promise<string> {
  const input = fileURLToPath(new URL(`../../client/${entry}.ts`, import.meta.url));
  const { output } = await (await rolldown({ input })).generate({ format: 'es' });
  return output[0].code;
}

function urlsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => document.querySelector('leadway-upload')?.value ?? []);
}

function messageOf(page: Page): Promise<string> {
  return page.evaluate(() => document.querySelector('leadway-upload')?.validationMessage ?? '');
}

async function pick(page: Page, path: string): Promise<void> {
  const input = await page.waitForSelector('leadway-upload >>> .input-files');
  await (input as Awaited<ReturnType<typeof page.$<'input'>>>)?.uploadFile(path);
}

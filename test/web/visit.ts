import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { Browser, ElementHandle, Page } from 'puppeteer-core';
import type {} from '../../client/element/index.ts';
import { openPage, type PageOptions } from '../helpers/browser-page.ts';
import { createTestServer, type TestServer, type TestServerOptions } from '../helpers/test-server.ts';

export { waitForCards } from '../browser/element-page.ts';

/** The picture that comes with the page. */
export const SAMPLE = fileURLToPath(new URL('../../web/sample.png', import.meta.url));

/** The page has its texts, and the server has said what it takes. */
export const READY = '#upload:defined >>> .limits:not(:empty)';

/** The smallest window that the page has to fit. */
export const PHONE = { width: 360, height: 740 } as const;

/** How a visit differs from the usual one. */
export interface VisitOptions {
  readonly testServer?: TestServerOptions;
  readonly page?: PageOptions;
}

/**
 * Opens the page in its own testServer and runs `steps`. At the end it must have nothing to complain about: no
 * script error and no breach of its policy.
 */
export async function visit(
  browser: Browser,
  steps: (page: Page, testServer: TestServer) => Promise<void>,
  { testServer: testServerOptions, page: pageOptions }: VisitOptions = {},
): Promise<void> {
  await using testServer = await createTestServer({ ...testServerOptions, page: true });
  await using watched = await openPage(browser, testServer.url, { ready: READY, ...pageOptions });
  await steps(watched.page, testServer);
  assert.deepEqual(watched.complaints, []);
}

/** Opens the page once more, which can not reach the server then, and waits until it has noticed. */
export async function reopenWithoutServer(page: Page): Promise<void> {
  await page.setRequestInterception(true);
  page.on('request', (sent) => {
    void (/\/demo\.json$|\/api\//.test(sent.url()) ? sent.abort() : sent.continue());
  });
  await page.reload();
  await page.waitForSelector('#upload >>> .limits.wrong');
}

/** A file that the page makes by itself: the driver is slow to carry large ones. */
export interface MadeFile {
  readonly name: string;
  readonly type: string;
  /** What it begins with, a letter for each byte. */
  readonly head: string;
  readonly bytes: number;
}

/** What begins like an MP4. */
export function film(bytes: number, name = 'film.mp4'): MadeFile {
  return { name, type: 'video/mp4', head: '\0\0\0\x18ftypisom\0\0\x02\0isomiso2mp41', bytes };
}

/** A program that calls itself a PDF. */
export function impostor(bytes: number): MadeFile {
  return { name: 'invoice.pdf', type: 'application/pdf', head: 'MZ\0', bytes };
}

/** A text that says its name. */
export function note(name: string): MadeFile {
  return { name, type: 'text/plain', head: `Text of ${name}`, bytes: `Text of ${name}`.length };
}

/** How files come into the page: by its file input, or by an event that carries them. */
export type Entrance = 'picker' | 'drop' | 'paste';

/** Brings files that the page makes into it. */
export async function bring(page: Page, entrance: Entrance, ...files: readonly MadeFile[]): Promise<void> {
  await page.evaluate(
    (how: Entrance, made: readonly MadeFile[]) => {
      const dataTransfer = new DataTransfer();
      for (const { name, type, head, bytes } of made) {
        const rest = new Uint8Array(bytes - head.length).fill(0x55);
        dataTransfer.items.add(new File([head, rest], name, { type }));
      }
      const options = { bubbles: true, cancelable: true };
      const target = document.querySelector('h1');
      const input = document
        .querySelector('leadway-upload')
        ?.shadowRoot?.querySelector<HTMLInputElement>('.input-files');
      if (how === 'picker' && input) {
        input.files = dataTransfer.files;
        input.dispatchEvent(new Event('change', options));
      }
      if (how === 'paste') {
        // Not every browser lets a script say what a clipboard event carries.
        const event = new Event('paste', options);
        Object.defineProperty(event, 'clipboardData', { value: dataTransfer });
        target?.dispatchEvent(event);
      }
      if (how !== 'drop') return;
      target?.dispatchEvent(new DragEvent('dragover', { ...options, dataTransfer }));
      target?.dispatchEvent(new DragEvent('drop', { ...options, dataTransfer }));
    },
    entrance,
    files,
  );
}

/** Presses the button at `selector` as a script would, wherever it has been scrolled to. */
export async function press(page: Page, selector: string): Promise<void> {
  const button = await page.waitForSelector(selector);
  await button?.evaluate((element) => (element as HTMLElement).click());
}

/** Presses a button of the upload element. */
export function pressIn(page: Page, selector: string): Promise<void> {
  return press(page, `#upload >>> ${selector}`);
}

/** Sends one of the samples. */
export function sendSample(page: Page, name: string): Promise<void> {
  return press(page, `[data-sample=${name}]`);
}

/** Chooses what goes wrong for the files that come next, by the name of the fault in the sandbox. */
export async function rehearse(page: Page, fault: string): Promise<void> {
  await page.evaluate((id) => {
    const field = document.querySelector<HTMLInputElement>('#conversation');
    if (field === null) return;
    field.value = id;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }, `fault-${fault}`);
}

/** Chooses one of the radio buttons of the form. */
export async function chooseRadio(page: Page, name: 'channel' | 'mode', value: string): Promise<void> {
  await page.evaluate(
    (where) => document.querySelector<HTMLElement>(where)?.click(),
    `[name=${name}][value=${value}]`,
  );
}

/** The texts of all such elements of the page, in their order. */
export function textsOf(page: Page, selector: string): Promise<string[]> {
  return page.evaluate(
    (where) => [...document.querySelectorAll(where)].map((element) => element.textContent ?? ''),
    selector,
  );
}

/** The texts of all such elements within the upload element. */
export function textsIn(page: Page, selector: string): Promise<string[]> {
  return page.evaluate((where) => {
    const root = document.querySelector('leadway-upload')?.shadowRoot;
    return [...(root?.querySelectorAll(where) ?? [])].map((element) => element.textContent ?? '');
  }, selector);
}

/** The text of the first such element within the upload element, which will be there soon. */
export async function textIn(page: Page, selector: string): Promise<string> {
  const element = await page.waitForSelector(`#upload >>> ${selector}`);
  return (await element?.evaluate(({ textContent }) => textContent)) ?? '';
}

/** The address of the first link to a file. */
export async function linkOf(page: Page): Promise<string> {
  const link = await page.waitForSelector('#upload >>> .card[data-state=done] .url');
  return (await link?.evaluate((element) => (element as HTMLAnchorElement).href)) ?? '';
}

/** Gives the file input of the upload element these files, by their paths, as a person would with its chooser. */
export async function pickFiles(page: Page, ...paths: string[]): Promise<void> {
  await uploadTo(page, '.input-files', paths);
}

/** Chooses a folder. */
export async function pickFolder(page: Page, path: string): Promise<void> {
  await uploadTo(page, '.input-folder', [path]);
}

async function uploadTo(page: Page, input: string, paths: string[]): Promise<void> {
  const found = await page.waitForSelector(`#upload >>> ${input}`);
  await (found as ElementHandle<HTMLInputElement> | null)?.uploadFile(...paths);
}

/** What of the page has the focus: its id, else, of the upload element, its first part and the name on its card. */
export function focusOf(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement: outer } = document;
    const inner = outer?.shadowRoot?.activeElement;
    if (!inner) return outer?.id || (outer?.localName ?? '');
    const card = inner.closest('.card')?.querySelector('.name')?.textContent ?? '';
    return `${inner.part.item(inner.part.length - 1)} ${card}`.trim();
  });
}

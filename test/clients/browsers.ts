import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { openPage } from '../helpers/browser-page.ts';
import type { Site } from '../helpers/site.ts';
import type { ClientResponse, ClientUpload, Upload } from './clients.ts';

/** A page that uploads with fetch and FormData. */
export interface UploadingPage extends AsyncDisposable {
  readonly upload: Upload;
}

/** Opens an empty page of `site`, whose origin the server allows. */
export async function openUploadingPage(browser: Browser, site: Site): Promise<UploadingPage> {
  site.files.set('/', ['text/html', '<!doctype html><title>A page</title>']);
  const opened = await openPage(browser, `${site.origin}/`);
  return {
    upload: (upload) => uploadIn(opened.page, upload),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function uploadIn(page: Page, { url, fields, path }: ClientUpload): Promise<ClientResponse> {
  const content = await readFile(path);
  // The driver would carry 25 MiB slowly; a large file of the tests is uniform behind its first bytes.
  const leading = content.toString('base64', 0, 64 * 1024);
  return page.evaluate(send, { url, fields, name: basename(path), size: content.length, leading });
}

/** Runs in the page. */
async function send(what: {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly name: string;
  readonly size: number;
  readonly leading: string;
}): Promise<ClientResponse> {
  const leading = Uint8Array.from(atob(what.leading), (character) => character.charCodeAt(0));
  const rest = new Uint8Array(what.size - leading.length).fill(0x41);
  const form = new FormData();
  for (const [name, value] of Object.entries(what.fields)) form.append(name, value);
  form.append('fileAttachment', new File([leading, rest], what.name));
  const response = await fetch(what.url, { method: 'POST', body: form });
  return { status: response.status, text: await response.text() };
}

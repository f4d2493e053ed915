/**
 * Records the forms that HTTP clients write into `test/fixtures/forms`, for the test of that name: the headers that
 * tell how the body is read, an empty line, the body. Arguments name the clients to record; by default all of them
 * are. A client whose program is missing is named, and its recording stays as it is.
 *
 * Debian's packages: curl python3-requests python3-httpx python3-aiohttp golang-go php-cli php-curl
 * php-guzzlehttp-guzzle ruby ruby-multipart-post libwww-perl default-jdk-headless libhttpmime-java libokhttp-java
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import axios from 'axios';
import FormDataStream from 'form-data';
import { FormDataEncoder } from 'form-data-encoder';
import { FormData as NodeFormData } from 'formdata-node';
import got from 'got';
import ky from 'ky';
import type { ElementHandle, Page } from 'puppeteer-core';
import superagent from 'superagent';
import * as undici from 'undici';
import { type BrowserKind, findBrowser } from '../test/helpers/installed-browsers.ts';
import { launchBrowser } from '../test/helpers/launch-browser.ts';

const FOLDER = new URL('../test/fixtures/forms/', import.meta.url);
const PICTURE = fileURLToPath(new URL('../test/fixtures/types/picture.png', import.meta.url));
const SENDERS = fileURLToPath(new URL('form-senders', import.meta.url));
const NAME = 'Presupuesto niño (nº 3), l’été; «final» 50%.png';
const FIELDS = { conversationId: 'exampleConversation1', contactId: 'exampleContact000001' };
const PAIRS = Object.entries(FIELDS).map(([name, value]) => `${name}=${value}`);
/** What the body is read by, and which version wrote it. */
const HEADERS = ['content-type', 'sec-fetch-site', 'user-agent'];

const content = readFileSync(PICTURE);
const run = promisify(execFile);

/** Sends the form to `url` with one client. */
type Sender = (url: string) => Promise<unknown>;

/** A program that takes the URL, the file, its name and the fields as its last arguments. */
function program(command: string, ...first: string[]): Sender {
  return (url) => run(command, [...first, url, PICTURE, NAME, ...PAIRS], { cwd: SENDERS });
}

/** The form, by whichever class writes forms. */
function fill<Form extends { append(name: string, value: never, name2?: never): void }>(
  form: Form,
  file: unknown,
): Form {
  for (const [name, value] of Object.entries(FIELDS)) form.append(name, value as never);
  form.append('fileAttachment', file as never, NAME as never);
  return form;
}

const blob = (): Blob => new Blob([content], { type: 'image/png' });
const form = (): FormData => fill(new FormData(), blob());
const streamed = (): FormDataStream => fill(new FormDataStream(), content);
const java = ['okhttp', 'okio', 'httpmime', 'httpclient', 'httpcore', 'commons-logging'];
const classPath = java.map((name) => `/usr/share/java/${name}.jar`).join(':');

const CLIENTS: Readonly<Record<string, Sender>> = {
  fetch: (url) => fetch(url, { method: 'POST', body: form() }),
  undici: (url) => undici.fetch(url, { method: 'POST', body: fill(new undici.FormData(), blob()) }),
  axios: (url) => axios.post(url, form()),
  'axios-form-data': (url) => axios.post(url, streamed()),
  got: (url) => got.post(url, { body: form(), retry: { limit: 0 } }),
  'got-form-data': (url) => got.post(url, { body: streamed(), retry: { limit: 0 } }),
  ky: (url) => ky.post(url, { body: form(), retry: 0 }),
  superagent: (url) => superagent.post(url).field(FIELDS).attach('fileAttachment', content, NAME),
  async 'form-data'(url) {
    const sent = Promise.withResolvers<http.IncomingMessage>();
    streamed().submit(url, (error, res) => (error ? sent.reject(error) : sent.resolve(res)));
    (await sent.promise).resume();
  },
  'formdata-node': (url) => sendEncoded(url, fill(new NodeFormData(), blob())),
  'form-data-encoder': (url) => sendEncoded(url, form()),
  curl: (url) =>
    run('curl', [
      '--silent',
      ...PAIRS.flatMap((pair) => ['--form', pair]),
      ...['--form', `fileAttachment=@${PICTURE};type=image/png;filename="${NAME}"`, url],
    ]),
  requests: program('/usr/bin/python3', 'send.py', 'requests'),
  urllib3: program('/usr/bin/python3', 'send.py', 'urllib3'),
  httpx: program('/usr/bin/python3', 'send.py', 'httpx'),
  aiohttp: program('/usr/bin/python3', 'send.py', 'aiohttp'),
  go: program('go', 'run', 'send.go'),
  'php-curl': program('php', 'send.php', 'curl_file'),
  guzzle: program('php', 'send.php', 'guzzle'),
  'ruby-net-http': program('ruby', 'send.rb', 'net-http'),
  'ruby-multipart-post': program('ruby', 'send.rb', 'multipart-post'),
  'perl-lwp': program('perl', 'send.pl'),
  okhttp: program('java', '--class-path', classPath, 'SendForm.java', 'okhttp'),
  'apache-strict': program('java', '--class-path', classPath, 'SendForm.java', 'apache-strict'),
  'apache-legacy': program('java', '--class-path', classPath, 'SendForm.java', 'apache-legacy'),
  'apache-rfc6532': program('java', '--class-path', classPath, 'SendForm.java', 'apache-rfc6532'),
  chromium: (url) => inBrowser('chromium', url, sendByFetch),
  'chromium-form': (url) => inBrowser('chromium', url, sendBySubmit),
  firefox: (url) => inBrowser('firefox', url, sendByFetch),
  'firefox-form': (url) => inBrowser('firefox', url, sendBySubmit),
};

/** Sends what form-data-encoder writes, as the libraries built on it do. */
async function sendEncoded(url: string, data: FormData | NodeFormData): Promise<void> {
  const encoder = new FormDataEncoder(data as FormData);
  const req = http.request(url, { method: 'POST', headers: { ...encoder.headers } });
  const responded = once(req, 'response');
  Readable.from(encoder).pipe(req);
  const [res] = (await responded) as [http.IncomingMessage];
  res.resume();
}

async function inBrowser(
  kind: BrowserKind,
  url: string,
  send: (page: Page, url: string) => Promise<unknown>,
): Promise<void> {
  const { path, hint } = findBrowser(kind);
  if (path === undefined) throw new Error(hint);
  await using browser = await launchBrowser(kind, path);
  const page = await browser.newPage();
  await page.goto(url);
  await send(page, url);
}

const given = { name: NAME, fields: FIELDS, bytes: [...content] };

function sendByFetch(page: Page, url: string): Promise<unknown> {
  return page.evaluate(
    async ({ name, fields, bytes }, target) => {
      const data = new FormData();
      for (const [field, value] of Object.entries(fields)) data.append(field, value);
      data.append('fileAttachment', new File([Uint8Array.from(bytes)], name, { type: 'image/png' }));
      await fetch(target, { method: 'POST', body: data });
    },
    given,
    url,
  );
}

/** Chooses the file as a user does, under a name that only the disk gives it. */
async function sendBySubmit(page: Page): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'record-forms-'));
  try {
    const file = join(folder, NAME);
    copyFileSync(PICTURE, file);
    const input = await page.$('input[type=file]');
    // The type of its elements is that of a library that is not loaded here.
    await (input as ElementHandle<never> | null)?.uploadFile(file);
    await Promise.all([page.waitForNavigation(), page.click('button')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const PAGE = `<!doctype html><form method="post" enctype="multipart/form-data">${Object.entries(FIELDS)
  .map(([name, value]) => `<input name="${name}" value="${value}">`)
  .join('')}<input type="file" name="fileAttachment"><button>Send</button></form>`;

let received: Buffer | null = null;
const server = http.createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    if (req.method === 'POST') received = Buffer.concat([headOf(req), ...chunks]);
    res.setHeader('Content-Type', 'text/html; charset=utf-8').end(PAGE);
  });
});

function headOf({ headers }: http.IncomingMessage): Buffer {
  const lines = HEADERS.flatMap((name) =>
    headers[name] === undefined ? [] : [`${name}: ${headers[name]}\r\n`],
  );
  return Buffer.from(`${lines.join('')}\r\n`, 'latin1');
}

server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/upload`;
const wanted = process.argv.slice(2);
for (const [client, send] of Object.entries(CLIENTS)) {
  if (wanted.length > 0 && !wanted.includes(client)) continue;
  received = null;
  try {
    await send(url);
    if (received === null) throw new Error('it sent no form');
    writeFileSync(new URL(`${client}.form`, FOLDER), received);
    console.log(`recorded: ${client}`);
  } catch (error) {
    console.error(`not recorded: ${client}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
server.closeAllConnections();
server.close();

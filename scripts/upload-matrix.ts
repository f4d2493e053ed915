/**
 * Uploads through every reverse proxy and with every client of the tests, and prints how often each succeeded as a
 * Markdown table, which it also writes into docs/deployment/proxies.md between its markers. In each cell 40 rejections are
 * tried, or as many as the argument says, and half as many uploads of each kind that succeed. Fails if any went wrong.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createSandbox } from '../sandbox/index.ts';
import { openUploadingPage } from '../test/clients/browsers.ts';
import { createClients, type Upload } from '../test/clients/clients.ts';
import { type ClientCase, toWord, writeClientCases } from '../test/clients/files.ts';
import { BROWSERS, findBrowser } from '../test/helpers/installed-browsers.ts';
import { launchBrowser } from '../test/helpers/launch-browser.ts';
import { findProgram } from '../test/helpers/programs.ts';
import { startServerProcess } from '../test/helpers/server-process.ts';
import { createSite } from '../test/helpers/site.ts';
import { PROXIES } from '../test/proxies/proxies.ts';
import { startProxy } from '../test/proxies/running-proxy.ts';
import { send, TRANSPORTS } from '../test/proxies/send.ts';
import { acceptedUploads, assertExpected, rejectedUploads } from '../test/proxies/uploads.ts';

const PAGE = fileURLToPath(new URL('../docs/deployment/proxies.md', import.meta.url));
const BEGIN = '<!-- matrix -->';
const END = '<!-- /matrix -->';
/** Longer than any upload takes; a response that never comes is a failure. */
const PATIENCE_MS = 60_000;

const rejections = Number(process.argv[2] ?? 40);
const successes = Math.ceil(rejections / 2);
let failed = 0;

/** How many of how many tries succeeded. */
class Score {
  #passed = 0;
  #tried = 0;

  async count(times: number, what: string, attempt: () => Promise<void>): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      this.#tried += 1;
      try {
        await withinPatience(attempt());
        this.#passed += 1;
      } catch (error) {
        failed += 1;
        console.error(`${what}: ${(error as Error).message}`);
      }
    }
    console.error(`${what}: done`);
  }

  toString(): string {
    const score = `${this.#passed} of ${this.#tried}`;
    return this.#passed === this.#tried ? score : `**${score}**`;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'upload-matrix-'));
try {
  await using sandbox = await createSandbox({
    rateLimit: { max: 1_000_000, intervalMs: 10_000, daily: 10_000_000 },
  });
  await using site = await createSite();
  await using server = await startServerProcess(sandbox, {
    TRUST_PROXY: 'loopback',
    RATE_LIMIT_MAX: '1000000',
    ALLOWED_ORIGINS: site.origin,
  });
  const fields = { conversationId: sandbox.conversationId, contactId: sandbox.contactId };
  const tables = await Promise.all([proxyTable(server.url, fields), clientTable(server.url, fields, site)]);
  const text = [...tables, await summary()].join('\n\n');
  console.log(text);
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/deployment/proxies.md has no ${BEGIN} … ${END}`);
  writeFileSync(PAGE, `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`);
  process.exitCode = failed > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true });
}

type Fields = Readonly<Record<string, string>>;

/** A row for each proxy: what arrived over each transport, and which uploads succeeded. */
async function proxyTable(serverUrl: string, fields: Fields): Promise<string> {
  const rows: string[] = [];
  for (const setup of PROXIES) {
    if (findProgram(setup.program) === undefined) {
      rows.push(`| ${setup.name} | ${[...TRANSPORTS, ''].map(() => 'not run').join(' | ')} |`);
      continue;
    }
    const cells: string[] = [];
    const uploads = new Score();
    for (const transport of TRANSPORTS) {
      await using proxy = await startProxy(setup, serverUrl, transport.endsWith('TLS'));
      const errors = new Score();
      for (const [items, times, score] of [
        [rejectedUploads(fields), rejections / rejectedUploads(fields).length, errors],
        [acceptedUploads(fields), successes / TRANSPORTS.length, uploads],
      ] as const) {
        for (const item of items) {
          await score.count(Math.ceil(times), `${setup.name}, ${transport}, ${item.name}`, async () => {
            assertExpected(await send(proxy, transport, item.sending), item);
          });
        }
      }
      cells.push(String(errors));
    }
    rows.push(`| ${setup.name} | ${[...cells, uploads].join(' | ')} |`);
  }
  const titles = TRANSPORTS.map((transport) => `rejections over ${transport}`);
  return [`| proxy | ${titles.join(' | ')} | uploads |`, `| --- |${' --- |'.repeat(4)}`, ...rows].join('\n');
}

/** A row for each client. */
async function clientTable(
  serverUrl: string,
  fields: Fields,
  site: Awaited<ReturnType<typeof createSite>>,
): Promise<string> {
  const cases = await writeClientCases(folder, fields);
  const rows: string[] = [];
  const addRow = async (name: string, upload: Upload): Promise<void> => {
    const cells: Score[] = [];
    for (const group of [...cases.rejected.map((item) => [item]), cases.accepted]) {
      const score = new Score();
      for (const item of group) {
        const times = item.status >= 400 ? rejections : successes;
        await score.count(times, `${name}, ${item.name}`, () => assertClient(serverUrl, upload, item));
      }
      cells.push(score);
    }
    rows.push(`| ${name} | ${cells.join(' | ')} |`);
  };
  for (const client of createClients(() => folder)) {
    if (client.missing() === null) await addRow(client.name, client.upload);
    else rows.push(`| ${client.name} | not run | not run | not run |`);
  }
  for (const kind of BROWSERS) {
    const { path } = findBrowser(kind);
    if (path === undefined) continue;
    const browser = await launchBrowser(kind, path);
    try {
      await using page = await openUploadingPage(browser, site);
      await addRow(`fetch in ${await browser.version()}`, page.upload);
    } finally {
      await browser.close();
    }
  }
  const titles = [...cases.rejected.map(({ name }) => name), 'uploads'];
  return [`| client | ${titles.join(' | ')} |`, '| --- | --- | --- | --- |', ...rows].join('\n');
}

async function assertClient(serverUrl: string, upload: Upload, item: ClientCase): Promise<void> {
  const { query, fields, path, status, word } = item;
  const response = await upload({ url: `${serverUrl}/api/messages/upload${query}`, fields, path });
  if (toWord(response) !== `${status} ${word}`) throw new Error(toWord(response));
}

async function summary(): Promise<string> {
  const versions = [
    ['nginx', '-v'],
    ['haproxy', '-v'],
    ['caddy', 'version'],
    ['apache2', '-v'],
    ['curl', '-V'],
    ['go', 'version'],
  ] as const;
  const said = versions.flatMap(([program, argument]) => {
    const path = findProgram(program);
    if (path === undefined) return [];
    // nginx prints its version to standard error.
    const text = execFileSync('/bin/sh', ['-c', `"${path}" ${argument} 2>&1`], { encoding: 'utf8' });
    return [`${program} ${/\d+\.\d+(?:\.\d+)?/.exec(text)?.[0]}`];
  });
  const date = new Date().toISOString().slice(0, 10);
  return `By \`npm run matrix\` on ${date}, with ${said.join(', ')} and Node ${process.versions.node}.`;
}

async function withinPatience(attempt: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('no response')), PATIENCE_MS);
  try {
    await Promise.race([attempt, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs the tests of `test/browser` and prints which scenario works in which browser, as a Markdown table.
 * With `--write`, writes it into docs/browsers.md between its markers. Fails when a scenario did.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { BROWSERS, type BrowserKind, findBrowser } from '../test/helpers/installed-browsers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = join(ROOT, 'docs/browsers.md');
const BEGIN = '<!-- browsers -->';
const END = '<!-- /browsers -->';
/** `recovery (chromium) from being offline`: what describeInBrowsers makes of titles. */
const TITLE = new RegExp(`^(.+?) \\((${BROWSERS.join('|')})\\) ?(.*)$`);

/** What mocha's JSON reporter says of a test. */
interface ReportedTest {
  readonly title: string;
  readonly fullTitle: string;
}

/** What it writes. */
interface Report {
  readonly stats: { readonly duration: number; readonly failures: number };
  readonly passes: readonly ReportedTest[];
  readonly failures: readonly ReportedTest[];
  readonly pending: readonly ReportedTest[];
}

/** A cell of the table: how many cases of a scenario there are in a browser. */
interface Count {
  passed: number;
  failed: number;
  pending: number;
}

const report = runTests();
const table = tableOf(report);
console.log(table);
if (process.argv.includes('--write')) writePage(table);
process.exitCode = report.stats.failures > 0 ? 1 : 0;

function runTests(): Report {
  const folder = mkdtempSync(join(tmpdir(), 'browser-matrix-'));
  try {
    const output = join(folder, 'report.json');
    const mocha = join(ROOT, 'node_modules/mocha/bin/mocha.js');
    const reporter = ['--reporter', 'json', '--reporter-option', `output=${output}`];
    spawnSync(
      process.execPath,
      [mocha, '--no-config', '--timeout', '20000', ...reporter, 'test/browser/*.test.ts'],
      { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    return JSON.parse(readFileSync(output, 'utf8')) as Report;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A row for each test that stands right below its browser's title, and for each group of tests there. */
function tableOf({ passes, failures, pending, stats }: Report): string {
  const rows = new Map<string, Map<BrowserKind, Count>>();
  for (const [tests, outcome] of [
    [passes, 'passed'],
    [failures, 'failed'],
    [pending, 'pending'],
  ] as const) {
    for (const { title, fullTitle } of tests) {
      const [, suite = '', kind, rest = ''] = TITLE.exec(fullTitle) ?? [];
      if (kind === undefined) continue; // a test that needs no browser
      const group = rest === title ? title : rest.slice(0, -title.length).trim();
      const scenario = `${suite} ${group}`;
      const row = rows.get(scenario) ?? new Map<BrowserKind, Count>();
      rows.set(scenario, row);
      const count = row.get(kind as BrowserKind) ?? { passed: 0, failed: 0, pending: 0 };
      count[outcome]++;
      row.set(kind as BrowserKind, count);
    }
  }
  const lines = [...rows].map(([scenario, row]) => {
    // Markdown takes a bare `<leadway-upload>` for HTML.
    const words = scenario.replace(/<.*?>/g, '`$&`').replace(/^\w/, (letter) => letter.toUpperCase());
    return `| ${words} | ${BROWSERS.map((kind) => cellOf(row.get(kind))).join(' | ')} |`;
  });
  const date = new Date().toISOString().slice(0, 10);
  return [
    `| Scenario | ${BROWSERS.map(versionOf).join(' | ')} |`,
    `| --- |${' --- |'.repeat(BROWSERS.length)}`,
    ...lines,
    '',
    `By \`npm run browsers -- --write\` on ${date}: ${passes.length} passed, ${failures.length} failed, ${pending.length} not run, in ${Math.round(stats.duration / 1000)} s. A number says how many cases a row stands for.`,
  ].join('\n');
}

function cellOf(count: Count | undefined): string {
  if (count === undefined) return '—';
  const { passed, failed, pending } = count;
  if (pending > 0) return 'not run';
  if (failed > 0) return `**${failed} of ${passed + failed} fail**`;
  return passed === 1 ? '✓' : `✓ ${passed}`;
}

/** `Chromium 156.0.8078.79`, as the browser itself says it. */
function versionOf(kind: BrowserKind): string {
  const { path } = findBrowser(kind);
  if (path === undefined) return `${kind} (none)`;
  const said = execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return /(?:Chromium|Google Chrome|Firefox) [\w.]+/.exec(said)?.[0] ?? kind;
}

function writePage(content: string): void {
  const text = readFileSync(PAGE, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`docs/browsers.md has no place for it: ${BEGIN} … ${END}`);
  writeFileSync(PAGE, `${text.slice(0, begin + BEGIN.length)}\n\n${content}\n\n${text.slice(end)}`);
}

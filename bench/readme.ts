import { readFileSync, writeFileSync } from 'node:fs';
import { type Bar, drawChart, type Panel } from './chart.ts';
import { type Finding, medianOf, type Row, rowOf } from './finding.ts';
import { formatMachine, type Machine } from './machine.ts';
import { MEASUREMENTS } from './measurements/index.ts';
import { formatFinding, formatTable, wrap } from './report.ts';
import { type Result, readResults } from './results.ts';
import { OURS, TARGETS } from './targets.ts';

const CHART_PATH = 'docs/images/benchmark.svg';
const SLOW = '50 slow uploads of 20 MB';

/** A number of the README's table and of the chart. */
interface Figure {
  /** Over the column. */
  readonly column: string;
  /** Over the panel of the chart; null where it is in the table only. */
  readonly panel: { readonly title: string; readonly unit: string } | null;
  readonly measurement: string;
  readonly variant: string | null;
  readonly value: string;
  /** What the baseline has, whose ratios nobody measures. */
  readonly ofBaseline: number | null;
  readonly digits: number;
}

const ratio = (size: string, words: string): Figure => ({
  column: `CPU, ${words}`,
  panel: { title: `CPU, ${words}`, unit: 'times the bare pipe' },
  measurement: 'throughput',
  variant: size,
  value: 'ratio',
  ofBaseline: 1,
  digits: 2,
});

const FIGURES: readonly Figure[] = [
  ratio('100KiB', 'files of 100 KiB'),
  ratio('5MB', 'files of 5 MB'),
  ratio('100MB', 'files of 100 MB'),
  {
    column: 'memory growth, MiB',
    panel: { title: 'Memory growth, 50 slow uploads of 20 MB', unit: 'MiB' },
    measurement: 'memory',
    variant: SLOW,
    value: 'growthMib',
    ofBaseline: null,
    digits: 0,
  },
  {
    column: 'CPU, signed URL',
    panel: null,
    measurement: 'initiate',
    variant: null,
    value: 'ratio',
    ofBaseline: 1,
    digits: 2,
  },
  {
    column: 'start, ms',
    panel: null,
    measurement: 'start',
    variant: null,
    value: 'startMs',
    ofBaseline: null,
    digits: 0,
  },
];

/**
 * Writes the results that are there into README.md and docs/performance.md, and draws the chart; gives the
 * paths of what was written.
 *
 * @throws Error when results are missing, were not measured in full or do not belong together.
 */
export function writeDocuments(): readonly string[] {
  const results = readResults();
  const missing = Object.keys(MEASUREMENTS).filter((name) => !results.some((result) => result.name === name));
  if (missing.length > 0) throw new Error(`not measured yet: ${missing.join(', ')}; npm run bench does`);
  const short = results.filter(({ isFull }) => !isFull).map(({ name }) => name);
  if (short.length > 0) throw new Error(`not measured in full: ${short.join(', ')}; npm run bench does`);
  const machine = sharedMachine(results);
  const { date, cpu, cores, node } = machine;
  const note = `Less is better. ${date}, ${cpu}, ${cores} cores, Node ${node}.`;
  writeFileSync(CHART_PATH, drawChart('What forwarding costs', toPanels(results), note));
  replaceSection('README.md', formatReadme(results, machine));
  replaceSection('docs/performance.md', formatAll(results, machine));
  return [CHART_PATH, 'README.md', 'docs/performance.md'];
}

/** The section of README.md: chart, table, machine. */
export function formatReadme(results: readonly Finding[], machine: Machine): string {
  const names = TARGETS.filter(({ name }) => results.some((result) => rowOf(result, name) !== undefined));
  const lines = names.map(({ name, title }) => [
    title,
    ...FIGURES.map((figure) => numberOf(results, figure, name)?.toFixed(figure.digits) ?? ''),
  ]);
  return [
    `![CPU and memory of forwarding, compared](${CHART_PATH})`,
    wrap(
      'CPU as a multiple of the bare pipe, a `req.pipe(http.request)` that checks nothing; 16 uploads at once. Memory: growth over idle, 50 slow uploads of 20 MB.',
    ),
    formatTable([['', ...FIGURES.map(({ column }) => column)], ...lines]),
    wrap(
      `Measured by \`npm run bench\`: ${formatMachine(machine)}. How to read it, and everything else that was measured: [docs/performance.md](docs/performance.md).`,
    ),
  ].join('\n\n');
}

/** The section of docs/performance.md: every table. */
function formatAll(results: readonly Result[], machine: Machine): string {
  const inOrder = Object.keys(MEASUREMENTS).flatMap((name) => results.filter((one) => one.name === name));
  return [wrap(`${formatMachine(machine)}.`), ...inOrder.map(formatFinding)].join('\n\n');
}

function toPanels(results: readonly Finding[]): Panel[] {
  return FIGURES.flatMap((figure) => {
    if (figure.panel === null) return [];
    const bars = TARGETS.flatMap(({ name }): Bar[] => {
      const value = numberOf(results, figure, name);
      const label = name === OURS ? 'this server' : name;
      return value === null ? [] : [{ label, value, isOurs: name === OURS }];
    });
    return [{ ...figure.panel, digits: figure.digits, bars }];
  });
}

function numberOf(results: readonly Finding[], figure: Figure, target: string): number | null {
  const finding = results.find(({ name }) => name === figure.measurement);
  const row: Row | undefined = finding && rowOf(finding, target, figure.variant);
  return row === undefined ? null : (medianOf(row, figure.value) ?? figure.ofBaseline);
}

/** @throws Error when the results are of different machines or states of the code. */
function sharedMachine(results: readonly Result[]): Machine {
  const lines = new Set(results.map(({ machine }) => formatMachine({ ...machine, date: '' })));
  if (lines.size > 1) throw new Error(`results of different runs: ${[...lines].join(' and ')}`);
  const newest = results.toSorted((a, b) => a.machine.date.localeCompare(b.machine.date)).at(-1);
  if (newest === undefined) throw new Error('no results');
  return newest.machine;
}

/** Puts `content` between the two comments that mark its place. */
function replaceSection(path: string, content: string): void {
  const text = readFileSync(path, 'utf8');
  const marked = /(<!-- bench -->\n).*?(<!-- \/bench -->)/s;
  if (!marked.test(text)) throw new Error(`${path} has no place between <!-- bench --> and <!-- /bench -->`);
  writeFileSync(
    path,
    text.replace(marked, (_, open: string, close: string) => `${open}${content}\n${close}`),
  );
}

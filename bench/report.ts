import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { formatMachine, type Machine } from './machine.ts';
import { BASELINE, OURS, TARGETS } from './targets.ts';

/** Median and range of some values. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A target under one load. */
export interface Row {
  readonly target: string;
  /** Null if there is only one. */
  readonly load: string | null;
  readonly values: Readonly<Record<string, Spread | number | null>>;
}

/** What a measurement returns. */
export interface Measured {
  readonly title: string;
  readonly method: string;
  readonly columns: readonly { readonly value: string; readonly title: string; readonly digits: number }[];
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

/** What is stored of a measurement. */
export interface Result extends Measured {
  readonly name: string;
  readonly machine: Machine;
  /** Whether nothing was left out or shortened, so that it may go into documents. */
  readonly isFull: boolean;
}

/** A number that our server is held to. */
interface Goal {
  readonly what: string;
  readonly measurement: string;
  readonly load: string | null;
  readonly value: string;
  readonly max: number;
  readonly unit: string;
  readonly digits: number;
}

/** Where results are stored; not under version control. */
export const RESULTS_FOLDER = 'bench/results';
const RESULTS_PATH = `${RESULTS_FOLDER}/latest.json`;

const cpu = (load: string, what: string, max: number): Goal => ({
  what: `CPU, ${what}, to the bare pipe`,
  measurement: 'throughput',
  load,
  value: 'ratio',
  max,
  unit: '×',
  digits: 2,
});
const start = (value: string, what: string, max: number, unit: string): Goal => ({
  what,
  measurement: 'start',
  load: null,
  value,
  max,
  unit,
  digits: 0,
});

/** What our server is held to. */
const GOALS: readonly Goal[] = [
  cpu('100KiB', '100 KiB', 1.8),
  { ...cpu('', 'signed URL', 2), measurement: 'initiate', load: null },
  cpu('5MB', '5 MB', 0.95),
  cpu('100MB', '100 MB', 0.95),
  start('liveMs', 'first 200 of `/healthz`', 130, 'ms'),
  start('readyMs', 'first 200 of `/readyz`', 190, 'ms'),
  start('idleMib', 'memory when idle', 85, 'MiB'),
  {
    ...start('upstreamMs', 'cut-through, last byte at the upstream', 0.5, 'ms'),
    measurement: 'cut-through',
    digits: 2,
  },
  {
    ...start('responseMs', 'cut-through, response at the client', 1, 'ms'),
    measurement: 'cut-through',
    digits: 2,
  },
  {
    ...start('files', 'our files that one forwarded upload runs', 40, ''),
    measurement: 'files',
    load: '1 MB, streamed',
  },
  {
    ...start('files', 'files in `server/`, `middleware/` and `routes/`', 130, ''),
    measurement: 'files',
    load: 'all',
  },
];

/** The stored results; none when nothing was measured yet. */
function readResults(): readonly Result[] {
  try {
    return (JSON.parse(readFileSync(RESULTS_PATH, 'utf8')) as { results?: Result[] }).results ?? [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Stores `result` in place of an earlier one of that name. @returns the file's path. */
export function storeResult(result: Result): string {
  const results = [...readResults().filter(({ name }) => name !== result.name), result];
  mkdirSync(RESULTS_FOLDER, { recursive: true });
  const goals = toGoalLines(results);
  writeFileSync(RESULTS_PATH, `${JSON.stringify({ goals, results }, null, 2)}\n`);
  return RESULTS_PATH;
}

/** A result as Markdown. */
export function formatResult({ title, method, columns, rows, notes }: Measured): string {
  const hasLoads = rows.some(({ load }) => load !== null);
  const head = [...(hasLoads ? ['load'] : []), 'target', ...columns.map((column) => column.title)];
  const lines = rows.map(({ target, load, values }) => [
    ...(hasLoads ? [load ?? ''] : []),
    target,
    ...columns.map(({ value, digits }) => {
      const isBaseline = value === 'ratio' && target === BASELINE;
      return isBaseline ? '1' : formatValue(values[value] ?? null, digits);
    }),
  ]);
  const table = rows.length === 0 ? [] : [formatTable([head, ...lines])];
  return [`### ${title}`, wrap(method), ...table, ...notes.map(wrap)].join('\n\n');
}

/** `median (min to max)`, or a single value. */
export function formatValue(value: Spread | number | null, digits: number): string {
  if (value === null) return '';
  if (typeof value === 'number') return value.toFixed(digits);
  const { median, min, max } = value;
  if (min === max) return median.toFixed(digits);
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}

/** The table of goals, each met or not. */
export function formatGoals(results: readonly Result[]): string {
  return formatTable([['goal', 'at most', 'measured', ''], ...toGoalLines(results)]);
}

function toGoalLines(results: readonly Result[]): string[][] {
  return GOALS.map((goal) => {
    const { what, max, unit, digits } = goal;
    const value = medianOf(results, goal.measurement, OURS, goal.load, goal.value);
    const state = value === null ? 'not measured' : value <= max ? 'met' : '**not met**';
    const withUnit = (text: string): string => `${text} ${unit}`.trim();
    return [what, withUnit(String(max)), value === null ? '' : withUnit(value.toFixed(digits)), state];
  });
}

function medianOf(
  results: readonly Result[],
  measurement: string,
  target: string,
  load: string | null,
  name: string,
): number | null {
  const rows = results.find((result) => result.name === measurement)?.rows ?? [];
  const row = rows.find((one) => one.target === target && one.load === load);
  const value = row?.values[name] ?? null;
  return typeof value === 'object' && value !== null ? value.median : value;
}

/** The README's table. */
export function formatReadme(results: readonly Result[], machine: Machine): string {
  const columns = [
    ['CPU, 100 KiB', 'throughput', '100KiB', 'ratio'],
    ['CPU, 5 MB', 'throughput', '5MB', 'ratio'],
    ['CPU, 100 MB', 'throughput', '100MB', 'ratio'],
    ['CPU, signed URL', 'initiate', null, 'ratio'],
    ['memory growth, MiB', 'memory', '50 slow uploads of 20 MB', 'growthMib'],
  ] as const;
  const lines = TARGETS.map(({ name, title }) => [
    title,
    ...columns.map(([, measurement, load, value]) => {
      if (value === 'ratio' && name === BASELINE) return '1';
      return medianOf(results, measurement, name, load, value)?.toFixed(value === 'ratio' ? 2 : 0) ?? '';
    }),
  ]);
  return [
    formatTable([
      ['', ...columns.map(([title]) => title)],
      ...lines.filter(([, ...cells]) => cells.some(Boolean)),
    ]),
    wrap(
      `CPU is user and system time as a multiple of the bare pipe, a \`req.pipe(http.request)\` that checks nothing; 16 uploads at a time. Memory is the growth with 50 slow uploads of 20 MB. ${formatMachine(machine)}. [docs/performance.md](docs/performance.md) has the rest.`,
    ),
  ].join('\n\n');
}

/**
 * Writes the stored results into docs/performance.md and, after a full run, into README.md. @returns the paths.
 *
 * @throws Error when there are none, or they are of different machines or commits.
 */
export function writeDocuments(names: readonly string[]): readonly string[] {
  const stored = readResults();
  const results = names.flatMap((name) => stored.filter((result) => result.name === name));
  if (results.length === 0) throw new Error('nothing was measured yet; npm run bench does');
  const machines = new Set(results.map(({ machine }) => formatMachine({ ...machine, date: '' })));
  const machine = results.at(-1)?.machine;
  if (machines.size !== 1 || machine === undefined) {
    throw new Error(`results of different runs: ${[...machines].join(' and ')}`);
  }
  const isFull = names.every((name) => results.some((result) => result.name === name && result.isFull));
  const notes = isFull ? [] : [wrap(SHORT)];
  const tables = [
    wrap(`${formatMachine(machine)}.`),
    ...notes,
    formatGoals(results),
    ...results.map(formatResult),
  ];
  replaceSection('docs/performance.md', tables.join('\n\n'));
  if (isFull) replaceSection('README.md', formatReadme(results, machine));
  return ['docs/performance.md', ...(isFull ? ['README.md'] : [])];
}

const SHORT = 'A short or partial run: treat the numbers as a rough guide.';

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

/** A Markdown table; the first of `lines` is its head. */
function formatTable(lines: readonly (readonly string[])[]): string {
  const [heads = [], ...rest] = lines;
  const cells = [heads, heads.map(() => '---'), ...rest];
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}

const MAX_LINE = 120;

/** `text` in lines of at most 120 characters. */
export function wrap(text: string): string {
  let line = 0;
  return text.split(' ').reduce((lines, word) => {
    const isNext = line > 0 && line + word.length + 1 > MAX_LINE;
    const separator = lines === '' ? '' : isNext ? '\n' : ' ';
    line = isNext ? word.length : line + word.length + separator.length;
    return `${lines}${separator}${word}`;
  }, '');
}

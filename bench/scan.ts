import { randomBytes } from 'node:crypto';
import { startClamd, type TestClamd } from '../test/helpers/clamd.ts';
import { findProgram } from '../test/helpers/programs.ts';
import { checkUpload } from './check.ts';
import { usageOf } from './machine.ts';
import type { Measured, Row } from './report.ts';
import { alternate, type Bench, runLoad, type Sample, spreadOf, startAll, warmUp } from './runner.ts';
import { OURS, ourServer, type Target } from './targets.ts';

const MIB = 1024 ** 2;
const SIZES = [
  { label: '100KiB', bytes: 100 * 1024 },
  { label: '5MB', bytes: 5_000_000 },
];
const CHECKED_BYTES = 1_000_000;
/** About what the official database has of these two kinds, as far as a test can make them. */
const MANY = { patterns: 100_000, hashes: 1_000_000 };

/** An upload while clamd scans, beside one without a scan. */
interface Scanned extends Sample {
  readonly clamdCpuSeconds: number;
}

/** What a scan by a real clamd costs, and what it adds to an upload. */
export async function measureScan(bench: Bench): Promise<Measured> {
  if (findProgram('clamd') === undefined)
    return { ...DESCRIPTION, rows: [], notes: ['clamd is not installed.'] };
  await using stack = new AsyncDisposableStack();
  const clamds = new Map<Target, TestClamd>();
  for (const [title, database] of [
    ['one signature', {}],
    ['many signatures', createDatabase()],
  ] as const) {
    bench.progress(`scan: starting clamd with ${title}`);
    const clamd = stack.use(await startClamd([], database));
    const target = ourServer(`${OURS}, ${title}`, title, ['dist/main.js']);
    const launch: Target['launch'] = (port, upstream) => {
      const { command, env } = target.launch(port, upstream);
      return { command, env: { ...env, CLAMAV_URL: clamd.url } };
    };
    clamds.set({ ...target, launch }, clamd);
  }
  const targets = [...bench.targets.filter(({ name }) => name === OURS), ...clamds.keys()];
  const check = (running: Parameters<typeof checkUpload>[0]) => checkUpload(running, bench, CHECKED_BYTES);
  const all = await startAll(targets, bench.plain, stack, check);
  await warmUp(bench, all, 'upload');
  const { rounds, seconds } = bench.profile.initiate;
  const rows: Row[] = [];
  for (const { label, bytes } of SIZES) {
    bench.progress(`scan: ${label}`);
    // One upload at a time: each has its own core here and a core of clamd's there.
    const load = { kind: 'upload', fileBytes: bytes, concurrency: 1, until: { seconds } } as const;
    const series = await alternate(bench, all, rounds, async (running): Promise<Scanned> => {
      const pid = clamds.get(running.target)?.pid;
      const cpuOfClamd = (): number => (pid === undefined ? 0 : usageOf([pid]).cpuSeconds);
      const before = cpuOfClamd();
      const sample = await runLoad(running, bench, load);
      return { ...sample, clamdCpuSeconds: cpuOfClamd() - before };
    });
    const [plain] = series;
    for (const { running, results } of series) {
      const pick = (value: (one: Scanned) => number) => spreadOf(results.map(value));
      const added = results.map(({ p50Ms }, round) => p50Ms - (plain?.results[round]?.p50Ms ?? Number.NaN));
      const hasScan = clamds.has(running.target);
      rows.push({
        target: running.target.name,
        load: label,
        values: {
          p50Ms: pick(({ p50Ms }) => p50Ms),
          addedMs: hasScan ? spreadOf(added) : null,
          cpuMicroseconds: pick(({ cpuSeconds, requests }) => (cpuSeconds / requests) * 1e6),
          clamdMibPerSecond: hasScan
            ? pick(({ clamdCpuSeconds, requests }) => (requests * bytes) / MIB / clamdCpuSeconds)
            : null,
        },
      });
    }
  }
  return { ...DESCRIPTION, rows, notes: [] };
}

const DESCRIPTION = {
  title: 'Malware scan',
  method: `One upload after the other, to the server without a scan and with a clamd on the other cores that knows one signature, or ${MANY.patterns} patterns and ${MANY.hashes} hashes. The official database is several times larger.`,
  columns: [
    { value: 'p50Ms', title: 'p50 ms', digits: 2 },
    { value: 'addedMs', title: 'added by the scan, ms', digits: 2 },
    { value: 'cpuMicroseconds', title: 'CPU of the server, µs/upload', digits: 0 },
    { value: 'clamdMibPerSecond', title: 'clamd, MiB/s per core', digits: 0 },
  ],
};

/** Signatures that match nothing: patterns of 32 bytes anywhere in a file of any kind, and MD5 hashes of whole files. */
function createDatabase(): Readonly<Record<string, string>> {
  const lines = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('');
  return {
    'bench.ndb': lines(MANY.patterns, (index) => `Bench.P${index}:0:*:${randomBytes(32).toString('hex')}\n`),
    'bench.hdb': lines(
      MANY.hashes,
      (index) => `${randomBytes(16).toString('hex')}:${1_000 + (index % 9_000_000)}:Bench.H${index}\n`,
    ),
  };
}

import assert from 'node:assert/strict';
import { MEASUREMENTS, parseOptions } from '../../bench/options.ts';
import {
  formatGoals,
  formatReadme,
  formatResult,
  formatValue,
  type Result,
  wrap,
} from '../../bench/report.ts';
import { spreadOf } from '../../bench/runner.ts';
import { TARGETS } from '../../bench/targets.ts';
import { namedRows, read } from '../documents/documents.ts';

const machine = {
  date: '2026-01-02',
  cpu: 'A processor',
  cores: 2,
  memoryGib: 4,
  kernel: '6.1',
  node: '24.0.0',
  congestionControl: 'reno',
  commit: 'abc1234',
};

const result: Result = {
  name: 'throughput',
  title: 'Forwarding',
  method: 'As described.',
  columns: [{ value: 'ratio', title: 'ratio', digits: 2 }],
  rows: [
    { target: 'bare-pipe', load: '5MB', values: { ratio: null } },
    { target: 'leadway-bff', load: '5MB', values: { ratio: spreadOf([1.4, 1.5, 1.6]) } },
    { target: 'leadway-bff', load: '100KiB', values: { ratio: spreadOf([1.7]) } },
  ],
  notes: [],
  machine,
  isFull: true,
};

describe('the report of the benchmark', () => {
  it('says of each goal whether it is met', () => {
    const text = formatGoals([result]);
    assert.match(text, /^\| CPU, 100 KiB, to the bare pipe +\| 1\.8 × +\| 1\.70 × +\| met +\|$/m);
    assert.match(text, /^\| CPU, 5 MB, to the bare pipe +\| 0\.95 × +\| 1\.50 × +\| \*\*not met\*\* +\|$/m);
    assert.match(text, /^\| CPU, 100 MB, to the bare pipe +\| 0\.95 × +\| +\| not measured +\|$/m);
  });

  it('shows the median and the range', () => {
    assert.match(formatResult(result), /^\| 5MB +\| leadway-bff +\| 1\.50 \(1\.40 to 1\.60\) +\|$/m);
    assert.match(formatResult(result), /^\| 5MB +\| bare-pipe +\| 1 +\|$/m);
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
    assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
    assert.equal(formatValue(spreadOf([2]), 2), '2.00');
  });

  it('fills the README with the medians that there are', () => {
    const text = formatReadme([result], machine);
    assert.match(text, /^\| this server, all checks +\| 1\.70 +\| 1\.50 +\|/m);
    assert.match(text, /^\| bare pipe, no checks +\| 1 +\| 1 +\|/m);
    assert(text.includes('2026-01-02') && text.includes('abc1234') && !text.includes('NaN'));
  });

  it('breaks lines between words only', () => {
    const text = 'word '.repeat(60).trim();
    const lines = wrap(text).split('\n');
    assert(lines.every((line) => line.length <= 120 && line === line.trim()));
    assert.equal(lines.join(' '), text);
  });
});

describe('the options of the benchmark', () => {
  it('name what is available when something else is asked for', () => {
    assert.throws(() => parseOptions(['--only', 'speed']), /--only speed: not one of throughput, /);
    assert.throws(() => parseOptions(['--target', 'apache']), /--target apache: not one of bare-pipe, /);
    assert.throws(() => parseOptions(['--sizes', '5 miles']), /--sizes 5 miles: not a size/);
    assert.throws(() => parseOptions(['--rounds', '0']), /--rounds 0: not a whole number above 0/);
    assert.throws(() => parseOptions(['--against', 'test']), /--against test: no server there/);
  });

  it('always compare with the bare pipe', () => {
    const options = parseOptions(['--target', 'leadway-bff', '--only', 'start,memory', '--rounds', '3']);
    assert.deepEqual(
      options?.targets.map(({ name }) => name),
      ['bare-pipe', 'leadway-bff'],
    );
    assert.deepEqual(options?.only, ['start', 'memory']);
    assert.equal(options?.profile.start.rounds, 3);
  });

  it('say whether the numbers may go into documents', () => {
    const isFull = (...args: string[]): boolean | undefined => parseOptions(args)?.isFull;
    assert.equal(isFull(), true);
    assert.equal(isFull('--only', 'memory', '--rounds', '9'), true);
    for (const args of [['--quick'], ['--sizes', '5MB'], ['--rounds', '1'], ['--target', 'nginx']]) {
      assert.equal(isFull(...args), false, args.join(' '));
    }
  });

  it('are those of the document', () => {
    const named = namedRows(read('docs/performance.md')).map(([name = '']) => name.replaceAll('`', ''));
    const known = [...MEASUREMENTS, ...TARGETS.map(({ name }) => name)];
    assert.deepEqual(named.toSorted(), known.toSorted());
  });

  it('have their places in the documents', () => {
    for (const path of ['README.md', 'docs/performance.md']) {
      assert.equal(read(path).match(/^<!-- \/?bench -->$/gm)?.length, 2, path);
    }
  });
});

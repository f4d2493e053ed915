import assert from 'node:assert/strict';
import { drawChart } from '../../bench/chart.ts';
import { atLeast, atMost, type Finding } from '../../bench/finding.ts';
import { MEASUREMENTS } from '../../bench/measurements/index.ts';
import { parseOptions } from '../../bench/options.ts';
import { formatReadme } from '../../bench/readme.ts';
import { formatFinding, formatSummary, wrap } from '../../bench/report.ts';
import { formatSpread, spreadOf } from '../../bench/spread.ts';
import { TARGETS } from '../../bench/targets.ts';
import { namedRows, read } from '../documents/documents.ts';

const finding: Finding = {
  name: 'throughput',
  title: 'Forwarding',
  method: 'As told.',
  variantColumn: 'file',
  columns: ['ratio'],
  rows: [
    { target: 'bare-pipe', variant: '5MB', cells: ['1'], verdicts: [], values: { ratio: null } },
    {
      target: 'leadway-bff',
      variant: '5MB',
      cells: ['1.50'],
      verdicts: [atMost('ratio', 1.5, 1), atLeast('tutorial', 7, 6, ' times')],
      values: { ratio: spreadOf([1.4, 1.5, 1.6]) },
    },
  ],
  notes: [],
};

describe('the report of the benchmark', () => {
  it('says of each goal whether it is met', () => {
    const text = formatFinding(finding);
    assert.match(text, /^\| 5MB +\| bare-pipe +\| 1 +\| +\|$/m);
    assert.match(text, /\| ratio ≤ 1: \*\*not met\*\*; tutorial ≥ 6 times: met \|$/m);
    assert.equal(formatSummary([finding]), '1 of 2 goals met.');
  });

  it('gives the middle and the range', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
    assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
    assert.equal(formatSpread(spreadOf([1, 2, 3]), 1), '2.0 (1.0 to 3.0)');
    assert.equal(formatSpread(spreadOf([2])), '2.00');
  });

  it('fills the README with the medians that there are', () => {
    const machine = {
      date: '2026-01-02',
      cpu: 'A processor',
      cores: 2,
      memoryGib: 4,
      kernel: '6.1',
      node: '24.0.0',
      congestionControl: 'reno',
      isPinned: true,
      commit: 'abc1234',
    };
    const text = formatReadme([finding], machine);
    assert.match(text, /^\| this server, all checks +\| +\| 1\.50 +\|/m);
    assert.match(text, /^\| bare pipe, no checks +\| +\| 1\.00 +\|/m);
    assert(text.includes('2026-01-02') && text.includes('abc1234') && !text.includes('NaN'));
  });

  it('breaks lines between words only', () => {
    const text = 'word '.repeat(60).trim();
    assert(
      wrap(text)
        .split('\n')
        .every((line) => line.length <= 120 && line === line.trim()),
    );
    assert.equal(wrap(text).replaceAll('\n', ' '), text);
  });

  it('draws a chart whose words are in it and whose markup nobody writes but us', () => {
    const bar = { label: 'a<b>&"c', value: 1234.5, isOurs: false };
    const none = { label: 'none', value: 0, isOurs: true };
    const svg = drawChart('Cost', [{ title: 'CPU', unit: 's', digits: 1, bars: [bar, none] }], 'a note');
    assert(svg.includes('a&#60;b&#62;&#38;&#34;c 1,234.5'));
    assert(!svg.includes('<b>') && !svg.includes('NaN') && !svg.includes('Infinity'));
    for (const tag of ['svg', 'g', 'text', 'title', 'desc', 'style', 'tspan']) {
      const count = (pattern: RegExp): number => svg.match(pattern)?.length ?? 0;
      assert.equal(count(new RegExp(`<${tag}[ >]`, 'g')), count(new RegExp(`</${tag}>`, 'g')), tag);
    }
    assert.match(svg, /prefers-color-scheme: dark/);
  });
});

describe('the options of the benchmark', () => {
  it('name what there is when something is asked for that is not', () => {
    assert.throws(() => parseOptions(['--only', 'speed']), /--only speed: not one of throughput, /);
    assert.throws(() => parseOptions(['--target', 'apache']), /--target apache: not one of bare-pipe, /);
    assert.throws(() => parseOptions(['--sizes', '5 miles']), /--sizes 5 miles: not a size/);
    assert.throws(() => parseOptions(['--rounds', '0']), /--rounds 0: not a whole number above 0/);
  });

  it('always compare with the bare pipe', () => {
    const options = parseOptions(['--target', 'leadway-bff', '--only', 'start,memory', '--rounds', '3']);
    assert.deepEqual(
      options?.targets.map(({ name }) => name),
      ['bare-pipe', 'leadway-bff'],
    );
    assert.deepEqual(options?.only, ['start', 'memory']);
    assert.equal(options?.effort.start.rounds, 3);
  });

  it('say whether the numbers may go into documents', () => {
    const isFull = (...args: string[]): boolean | undefined => parseOptions(args)?.isFull;
    assert.equal(isFull(), true);
    assert.equal(isFull('--only', 'memory', '--rounds', '9'), true);
    for (const args of [['--quick'], ['--sizes', '5MB'], ['--rounds', '1'], ['--seconds', '1']]) {
      assert.equal(isFull(...args), false, args.join(' '));
    }
    assert.equal(isFull('--target', 'nginx'), false);
  });

  it('are those of the document', () => {
    const named = namedRows(read('docs/performance.md')).map(([name = '']) => name.replaceAll('`', ''));
    const known = [...Object.keys(MEASUREMENTS), ...TARGETS.map(({ name }) => name)];
    assert.deepEqual(named.toSorted(), known.toSorted());
  });

  it('have their places in the documents', () => {
    for (const path of ['README.md', 'docs/performance.md']) {
      assert.equal(read(path).match(/^<!-- \/?bench -->$/gm)?.length, 2, path);
    }
  });
});

import process from 'node:process';
import { checkAll } from './check.ts';
import { profileCpu } from './cpu-profile.ts';
import { measureFiles } from './files.ts';
import { measureInitiate } from './initiate.ts';
import { measureCutThrough, measureLatency } from './latency.ts';
import { describeMachine, formatMachine, rerunInOwnNetwork } from './machine.ts';
import { measureMemory } from './memory.ts';
import { MEASUREMENTS, type Options, parseOptions, USAGE } from './options.ts';
import { endTogether, leaveTargetCore } from './processes.ts';
import { measureRejection } from './rejection.ts';
import {
  formatGoals,
  formatResult,
  type Measured,
  type Result,
  storeResult,
  writeDocuments,
} from './report.ts';
import { type Bench, startSurroundings } from './runner.ts';
import { measureScan } from './scan.ts';
import { measureStart } from './start.ts';
import { measureThroughput } from './throughput.ts';

const MEASURE: Readonly<Record<(typeof MEASUREMENTS)[number], (bench: Bench) => Promise<Measured>>> = {
  throughput: measureThroughput,
  initiate: measureInitiate,
  latency: measureLatency,
  'cut-through': measureCutThrough,
  rejection: measureRejection,
  scan: measureScan,
  memory: measureMemory,
  start: measureStart,
  files: measureFiles,
};

const args = process.argv.slice(2);
const options = readOptions();
if (options?.task === 'readme') process.exitCode = writeReadme();
else if (options !== null) process.exitCode = rerunInOwnNetwork(args) ?? (await run(options));

function readOptions(): Options | null {
  try {
    const parsed = parseOptions(args);
    if (parsed === null) console.log(USAGE);
    return parsed;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exitCode = 64; // EX_USAGE
    return null;
  }
}

function writeReadme(): number {
  try {
    for (const path of writeDocuments(MEASUREMENTS)) console.log(`wrote ${path}`);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function run({ task, only, targets, profile, isFull }: Options): Promise<number> {
  leaveTargetCore();
  endTogether();
  await using surroundings = await startSurroundings();
  const bench: Bench = { ...surroundings, targets, profile, progress };
  if (task === 'check') {
    console.log((await checkAll(bench)).join('\n'));
    return 0;
  }
  if (task === 'profile') {
    const lines = await profileCpu(
      bench,
      only.length === 1 && only[0] === 'initiate' ? 'initiate' : 'upload',
    );
    console.log(lines.join('\n'));
    return 0;
  }
  const machine = describeMachine();
  console.log(`${formatMachine(machine)}\n`);
  const results: Result[] = [];
  let path = '';
  let failures = 0;
  for (const name of MEASUREMENTS.filter((one) => only.includes(one))) {
    try {
      const result: Result = { name, ...(await MEASURE[name](bench)), machine, isFull };
      results.push(result);
      path = storeResult(result);
      progress('');
      console.log(`${formatResult(result)}\n`);
    } catch (error) {
      failures += 1;
      progress('');
      console.error(`${name} could not be measured:`, error);
    }
  }
  console.log(`### Goals\n\n${formatGoals(results)}\n\nWrote ${path}.`);
  return failures === 0 ? 0 : 1;
}

/** Shows on a terminal what is being done; an empty text clears the line. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

import process from 'node:process';
import { type Bench, startSurroundings } from './bench.ts';
import { describeMachine, formatMachine } from './machine.ts';
import { MEASUREMENTS } from './measurements/index.ts';
import { rerunInOwnNetwork } from './network.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { stepAside } from './processes.ts';
import { profileOurs } from './profile.ts';
import { writeDocuments } from './readme.ts';
import { formatFinding, formatSummary } from './report.ts';
import { keepResult, type Result } from './results.ts';

const args = process.argv.slice(2);
const options = readOptions();
if (options !== null) {
  process.exitCode =
    options.task === 'readme' ? document() : (rerunInOwnNetwork(args) ?? (await run(options)));
}

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

function document(): number {
  try {
    for (const path of writeDocuments()) console.log(`wrote ${path}`);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function run(options: Options): Promise<number> {
  stepAside();
  const surroundings = await startSurroundings();
  await using _load = surroundings.load;
  await using _upstream = surroundings.upstream;
  const bench = { ...surroundings, targets: options.targets, effort: options.effort, progress };
  if (options.task === 'measure') return await measureAll(bench, options);
  for (const line of await profileOurs(bench)) console.log(line);
  return 0;
}

/** Measures one after the other; what can't be measured does not keep the rest from it. */
async function measureAll(bench: Bench, options: Options): Promise<number> {
  const machine = describeMachine();
  console.log(`${formatMachine(machine)}\n`);
  const results: Result[] = [];
  let path = '';
  let failures = 0;
  for (const name of options.only) {
    try {
      const finding = await MEASUREMENTS[name]?.(bench);
      if (finding === undefined) continue;
      const result: Result = { ...finding, machine, isFull: options.isFull };
      results.push(result);
      path = keepResult(result);
      progress('');
      console.log(`${formatFinding(result)}\n`);
    } catch (error) {
      failures += 1;
      progress('');
      console.error(`${name} could not be measured:`, error);
    }
  }
  console.log(`${formatSummary(results)} Wrote ${path}.`);
  return failures === 0 ? 0 : 1;
}

/** Tells a person what is going on; an empty text takes the line away. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

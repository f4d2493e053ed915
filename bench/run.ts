import process from 'node:process';
import { compare, type Row, type Surroundings, startSurroundings } from './compare.ts';
import { rerunInOwnNetwork } from './network.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { profileOurs } from './profile.ts';
import { describeMachine, formatMachine, formatNotes, formatTable, writeResults } from './report.ts';

const args = process.argv.slice(2);
const options = readOptions();
if (options !== null) process.exitCode = rerunInOwnNetwork(args) ?? (await run(options));

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

async function run(options: Options): Promise<number> {
  const surroundings = await startSurroundings();
  await using _load = surroundings.load;
  await using _upstream = surroundings.upstream;
  if (options.profile) {
    for (const line of await profileOurs(surroundings, options)) console.log(line);
  } else {
    await compareAll(surroundings, options);
  }
  return 0;
}

async function compareAll(surroundings: Surroundings, options: Options): Promise<void> {
  const machine = describeMachine();
  console.log(`${formatMachine(machine)}; ${options.concurrency} at once, ${options.rounds} rounds\n`);
  const rows: Row[] = [];
  for (const size of options.sizes) {
    const measured = await compare(surroundings, options, size, (round) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\r${size.label}: round ${round + 1} of ${options.rounds} `);
    });
    rows.push(...measured);
  }
  if (process.stderr.isTTY) process.stderr.write('\r');
  console.log(formatTable(rows));
  for (const note of formatNotes(rows)) console.log(`\n${note}`);
  console.log(`\nwrote ${writeResults(machine, rows)}`);
}

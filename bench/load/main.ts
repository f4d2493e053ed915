// The load generator, a process of its own. It must be much cheaper than what it measures: bare sockets, and
// bytes that were made before.
import process from 'node:process';
import type { LoadCommand } from '../messages.ts';
import { keepIdle } from './idle.ts';
import { pace } from './pace.ts';
import { sendRefused } from './refusal.ts';
import { repeat } from './repeat.ts';
import { formOf } from './request-bytes.ts';

process.on('message', (command: LoadCommand) => {
  run(command).then(
    (result) => process.send?.(result),
    (error) => process.send?.({ failure: String(error) }),
  );
});
process.once('disconnect', () => process.exit());

async function run(command: LoadCommand): Promise<object> {
  switch (command.command) {
    case 'prepare':
      return { bytes: formOf(command.fileBytes).length };
    case 'repeat':
      return repeat(command);
    case 'pace':
      return pace(command);
    case 'refusal':
      return sendRefused(command);
    case 'idle':
      return keepIdle(command);
  }
}

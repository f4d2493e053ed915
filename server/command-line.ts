import { redactText } from './redaction.ts';

/** What the command line asks for. */
export type Command = 'run' | 'check-config' | 'version' | 'help';

/** Shown by `--help`. */
export const USAGE = `Usage: leadway-bff [--check-config] [--version] [--help]

Takes file uploads from browsers and passes them to Leadway. Settings come from
the environment, and outside production from .env in the current directory.

  --check-config  print the settings as understood, with secrets hidden, and exit
  --version       print the version and exit
  --help          print this and exit

Exit codes: 0 stopped after all uploads had finished, 1 stopped before that or
could not listen, 78 wrong settings or arguments.
`;

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['--check-config', 'check-config'],
  ['--version', 'version'],
  ['--help', 'help'],
]);

const MAX_SHOWN_CHARACTERS = 100;

/** The command in `args`; of several the last counts. A problem is a line for standard error. */
export function parseCommandLine(
  args: readonly string[],
): { readonly command: Command } | { readonly problem: string } {
  if (args.includes('--self-test')) return { problem: '--self-test is not available yet' };
  let command: Command = 'run';
  for (const arg of args) {
    const known = COMMANDS.get(arg);
    if (known === undefined) return { problem: `unknown argument ${show(arg)}; --help lists the arguments` };
    command = known;
  }
  return { command };
}

/** An argument as it may be printed: its value, if it has one, may be a secret. */
function show(arg: string): string {
  return JSON.stringify(redactText(arg.replace(/=.*/s, '=…')).slice(0, MAX_SHOWN_CHARACTERS));
}

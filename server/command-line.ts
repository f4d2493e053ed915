import { ID_PATTERN } from './config/parsers.ts';
import { redactText } from './redaction.ts';

/** What the command line asks for. */
export type Command =
  | { readonly name: 'run' | 'check-config' | 'version' | 'help' }
  | {
      readonly name: 'self-test';
      /** Prints one JSON object. */
      readonly json: boolean;
      /** Where `--write` may store files; null without it. */
      readonly conversationId: string | null;
    };

/** Shown by `--help`. */
export const USAGE = `Usage: leadway-bff [--check-config] [--version] [--help]
       leadway-bff --self-test [--json] [--write --conversation ID]

Takes file uploads from browsers and passes them to Leadway. Settings come from
the environment, and outside production from .env in the current directory.

  --check-config  print the settings as understood, with secrets hidden, and exit
  --self-test     check whether uploads can work with these settings, and exit;
                  0 if so, 1 if not. Changes nothing at Leadway
    --json        print the result as JSON
    --write       also make the calls that store files, in the conversation
                  that --conversation names
  --version       print the version and exit
  --help          print this and exit

Exit codes: 0 stopped after all uploads had finished, 1 stopped before that or
could not listen, 78 wrong settings or arguments.
`;

const MAX_SHOWN_CHARACTERS = 100;

/** The command in `args`; of several the last counts. A problem is a line for standard error. */
export function parseCommandLine(
  args: readonly string[],
): { readonly command: Command } | { readonly problem: string } {
  let name: Command['name'] = 'run';
  let isJson = false;
  let isWriting = false;
  let conversationId: string | null = null;
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    switch (arg) {
      case '--check-config':
      case '--self-test':
      case '--version':
      case '--help':
        name = arg.slice(2) as Command['name'];
        break;
      case '--json':
        isJson = true;
        break;
      case '--write':
        isWriting = true;
        break;
      case '--conversation':
        index += 1;
        conversationId = args[index] ?? '';
        if (!ID_PATTERN.test(conversationId))
          return { problem: '--conversation needs the id of a conversation' };
        break;
      default:
        return { problem: `unknown argument ${show(arg)}; --help lists the arguments` };
    }
  }
  if (name !== 'self-test') {
    const isAlone = !isJson && !isWriting && conversationId === null;
    return isAlone
      ? { command: { name } }
      : { problem: '--json, --write and --conversation belong to --self-test' };
  }
  if (isWriting !== (conversationId !== null)) {
    return { problem: '--write needs --conversation ID: the conversation in which it may store files' };
  }
  return { command: { name, json: isJson, conversationId } };
}

/** An argument as it may be printed: its value, if it has one, may be a secret. */
function show(arg: string): string {
  return JSON.stringify(redactText(arg.replace(/=.*/s, '=…')).slice(0, MAX_SHOWN_CHARACTERS));
}

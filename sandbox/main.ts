import { parseArgs } from 'node:util';
import { FAULTS, isFaultName } from './faults.ts';
import { ACCOUNTS, isAccount } from './options.ts';
import { createSandbox } from './sandbox.ts';

const EX_USAGE = 64;

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: process.env['SANDBOX_HOST'] ?? '127.0.0.1' },
    port: { type: 'string', default: process.env['SANDBOX_PORT'] ?? '0' },
    'storage-port': { type: 'string', default: process.env['SANDBOX_STORAGE_PORT'] ?? '0' },
    account: { type: 'string', default: process.env['SANDBOX_ACCOUNT'] ?? 'full' },
    fault: { type: 'string', default: process.env['SANDBOX_FAULT'] ?? '' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(
    'node sandbox/main.ts [--host H] [--port N] [--storage-port N] [--account full|trial] [--fault NAME]\n',
  );
  for (const [name, effect] of Object.entries(FAULTS)) console.log(`${name.padEnd(24)}${effect}`);
} else if (values.fault !== '' && !isFaultName(values.fault)) {
  console.error(`--fault: no fault is named "${values.fault}"; --help lists them`);
  process.exitCode = EX_USAGE;
} else if (!isAccount(values.account)) {
  console.error(`--account: expected ${Object.keys(ACCOUNTS).join(' or ')}, got "${values.account}"`);
  process.exitCode = EX_USAGE;
} else {
  const sandbox = await createSandbox({
    host: values.host,
    port: Number(values.port),
    storagePort: Number(values['storage-port']),
    account: values.account,
    fault: values.fault === '' ? null : values.fault,
  });
  console.log(
    `sandbox ${sandbox.url} token=${sandbox.token} location=${sandbox.locationId} storage=${sandbox.storageOrigin}`,
  );
  const stop = () => void sandbox.close();
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

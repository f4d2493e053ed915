import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { createSandbox } from '../../sandbox/index.ts';
import { ROOT, read } from '../documents/documents.ts';
import { needsPrograms } from '../helpers/programs.ts';
import { settingsFor } from '../helpers/sandbox-settings.ts';
import { tempFolder } from '../server/program.ts';
import { problemsOf } from './settings.ts';

const run = promisify(execFile);
const UNIT = read('deploy/systemd/leadway-bff.service');
const PAGE = read('docs/deployment/systemd.md');

/** The most that `systemd-analyze security` may give, of 100: below 20 is its best word, "OK". */
const MAX_EXPOSURE = '15';

const valuesOf = (name: string): string[] =>
  [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);

describe('deploy/systemd/leadway-bff.service', () => {
  it('is taken by systemd, and exposes little', async function () {
    needsPrograms(this, 'systemd-analyze');
    await using folder = await tempFolder();
    const unit = join(folder.path, 'leadway-bff.service');
    const installed = UNIT.replace('/usr/bin/node', process.execPath).replace(
      '/opt/leadway-bff',
      ROOT.slice(0, -1),
    );
    await writeFile(unit, installed);
    const analyze = (...args: string[]): string =>
      execFileSync('systemd-analyze', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    assert.equal(analyze('verify', '--man=no', unit), '');
    analyze('security', '--offline=true', `--threshold=${MAX_EXPOSURE}`, '--no-pager', unit);
  });

  it('sets what the server takes, from credentials that systemd loads', () => {
    const environment = Object.fromEntries(valuesOf('Environment').map((line) => line.split('=')));
    assert.deepEqual(problemsOf({ AUTH: 'none', LEADWAY_LOCATION_ID: 'location1', ...environment }), []);
    const credentials = valuesOf('LoadCredential').map((line) => line.split(':'));
    for (const [name = '', source = ''] of credentials) {
      assert(Object.values(environment).includes(`%d/${name}`), name);
      assert(PAGE.includes(source), `${source} is in the page`);
    }
  });

  it('has a page whose self-test line works with the settings of the page', async () => {
    await using sandbox = await createSandbox();
    await using folder = await tempFolder();
    const [settings = '', line = ''] = [/```sh\n(HOST=.*?)```/s, /```sh\n(\(set -a.*?)```/s].map(
      (pattern) => pattern.exec(PAGE)?.[1],
    );
    const { LEADWAY_TOKEN: token = '', ...upstream } = settingsFor(sandbox);
    const more = Object.entries(upstream).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(join(folder.path, 'settings'), settings + more.join(''));
    await writeFile(join(folder.path, 'leadway-token'), token);
    await writeFile(join(folder.path, 'ticket-secrets'), 'x'.repeat(64));
    const command = line
      .replaceAll('/etc/leadway-bff', folder.path)
      .replace('/usr/bin/node', process.execPath)
      .replace('/opt/leadway-bff/bin/leadway-bff.js', join(ROOT, 'server/main.ts'));
    const { stdout } = await run('sh', ['-c', command], { env: { PATH: process.env['PATH'] } });
    assert.match(stdout, /^✓ token: Leadway accepts the token/m);
  });

  it('does not restart after a wrong setting, and gives uploads the time to finish', () => {
    assert.deepEqual(valuesOf('RestartPreventExitStatus'), ['78']);
    const settings = Object.fromEntries(
      [...PAGE.matchAll(/^(SHUTDOWN_\w+_MS)=(\d+)$/gm)].map(([, k, v]) => [k, v]),
    );
    const neededMs = Number(settings['SHUTDOWN_DELAY_MS']) + Number(settings['SHUTDOWN_GRACE_MS'] ?? 30_000);
    assert(Number(valuesOf('TimeoutStopSec')[0]) * 1000 > neededMs, `${neededMs}`);
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { ROOT, read } from '../documents/documents.ts';
import { needsPrograms } from '../helpers/programs.ts';
import { tempFolder } from '../server/program.ts';
import { problemsOf } from './settings.ts';

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

  it('does not restart after a wrong setting, and gives uploads the time to finish', () => {
    assert.deepEqual(valuesOf('RestartPreventExitStatus'), ['78']);
    const settings = Object.fromEntries(
      [...PAGE.matchAll(/^(SHUTDOWN_\w+_MS)=(\d+)$/gm)].map(([, k, v]) => [k, v]),
    );
    const neededMs = Number(settings['SHUTDOWN_DELAY_MS']) + Number(settings['SHUTDOWN_GRACE_MS'] ?? 30_000);
    assert(Number(valuesOf('TimeoutStopSec')[0]) * 1000 > neededMs, `${neededMs}`);
  });
});

import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { startProgram, tempFolder } from './program.ts';

const CONFIGURED = { LEADWAY_TOKEN: 'pit-this-is-the-secret-token', LEADWAY_LOCATION_ID: 'location1' };
const OWN = `leadway-bff-${process.getuid?.()}`;

/** Runs the program once, with `temporary` as the system's folder for temporary files. */
async function runOnce(temporary: string): Promise<void> {
  await using program = startProgram({
    env: { ...CONFIGURED, TMPDIR: temporary, NODE_V8_COVERAGE: '' }, // with coverage nothing is kept
    args: ['--check-config'],
  });
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  assert.equal(program.stderr, '');
}

describe('the compile cache', () => {
  before(function () {
    // User ids are what these are about.
    if (process.getuid === undefined) this.skip();
  });

  it('is kept where only its owner may write', async () => {
    await using folder = await tempFolder();
    await runOnce(folder.path);
    assert.equal((await stat(join(folder.path, OWN))).mode & 0o777, 0o700);
    assert.notDeepEqual(await readdir(join(folder.path, OWN)), []);
  });

  it('is not kept where others may write', async () => {
    await using folder = await tempFolder();
    const open = join(folder.path, OWN);
    await mkdir(open);
    await chmod(open, 0o777);
    await runOnce(folder.path);
    assert.deepEqual(await readdir(open), []);
  });

  it('is not kept behind a link that somebody laid', async () => {
    await using folder = await tempFolder();
    const target = join(folder.path, 'elsewhere');
    await mkdir(target, { mode: 0o700 });
    await symlink(target, join(folder.path, OWN));
    await runOnce(folder.path);
    assert.deepEqual(await readdir(target), []);
  });

  it('is done without where there is no folder for it', async () => {
    await using folder = await tempFolder();
    await writeFile(join(folder.path, 'file'), '');
    await runOnce(join(folder.path, 'file'));
  });
});

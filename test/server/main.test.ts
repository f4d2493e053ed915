import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { needsPrograms, sayNotRun } from '../helpers/programs.ts';
import { startProgram, startSandboxed, tempFolder } from './program.ts';

const run = promisify(execFile);

const CONFIGURED = {
  LEADWAY_TOKEN: 'pit-this-is-the-secret-token',
  LEADWAY_LOCATION_ID: 'location1',
};

describe('the program', () => {
  describe('with settings that are wrong', () => {
    it('lists every problem at once and exits 78 before it listens', async () => {
      await using program = startProgram({
        env: { ...CONFIGURED, PORT: 'eighty', MAX_FILES: '0', LOG_LEVEL: 'loud', TRUST_PROXY: 'true' },
      });
      assert.deepEqual(await program.ended, { code: 78, signal: null });
      for (const name of ['PORT', 'MAX_FILES', 'LOG_LEVEL', 'TRUST_PROXY']) {
        assert.match(program.stderr, new RegExp(`^.*${name}`, 'm'));
      }
      assert.equal(program.stdout, '');
      assert.doesNotMatch(program.stderr, /pit-this|at .*\.ts:\d/);
    });

    it('does so for --check-config too', async () => {
      await using program = startProgram({ env: { PORT: '-1' }, args: ['--check-config'] });
      assert.equal((await program.ended).code, 78);
    });

    it('takes no token in production for an error, not for the sandbox', async () => {
      await using program = startProgram({ env: { NODE_ENV: 'production', AUTH: 'none' } });
      assert.equal((await program.ended).code, 78);
      assert.match(program.stderr, /LEADWAY_TOKEN/);
    });
  });

  it('prints its settings with secrets hidden for --check-config, and ends', async () => {
    await using program = startProgram({ env: { ...CONFIGURED, MAX_FILES: '3' }, args: ['--check-config'] });
    assert.deepEqual(await program.ended, { code: 0, signal: null });
    assert.match(program.stdout, /MAX_FILES.*3/);
    assert.match(program.stdout, /LEADWAY_TOKEN/);
    assert.doesNotMatch(program.stdout + program.stderr, /pit-this/);
  });

  describe('its command line', () => {
    it('tells the version and the arguments, whatever the settings', async () => {
      const { version } = JSON.parse(
        await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
      ) as { version: string };
      for (const [args, pattern] of [
        [['--version'], new RegExp(`^${version.replaceAll('.', '\\.')}\\n$`)],
        [['--help'], /^Usage: leadway-bff .*--check-config.*--version.*--help/s],
      ] as const) {
        await using program = startProgram({ env: { PORT: 'eighty' }, args });
        assert.deepEqual(await program.ended, { code: 0, signal: null });
        assert.match(program.stdout, pattern);
        assert.equal(program.stderr, '');
      }
    });

    for (const [args, pattern] of [
      [['--chek-config'], /^unknown argument "--chek-config"; --help lists the arguments\n$/],
      [['--check-config', 'extra'], /^unknown argument "extra"/],
      [['--help', '-x'], /^unknown argument "-x"/],
      [['--token=pit-a-secret'], /^unknown argument "--token=…"/],
      [['pit-a-secret'], /^unknown argument "\[secret\]"/],
      [['--json'], /^--json, --write and --conversation belong to --self-test/],
    ] as const) {
      it(`rejects ${args.join(' ')} with exit code 78, before it listens`, async () => {
        await using program = startProgram({ env: CONFIGURED, args });
        assert.deepEqual(await program.ended, { code: 78, signal: null });
        assert.match(program.stderr, pattern);
        assert.equal(program.stdout, '');
      });
    }
  });

  for (const sandbox of ['on', 'off']) {
    it(`says plainly that its port is in use and exits 1, sandbox ${sandbox}`, async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      const { port } = other.address() as { port: number };
      const settings = sandbox === 'on' ? { SANDBOX: 'on' } : CONFIGURED;
      await using program = startProgram({ env: { ...settings, PORT: `${port}` } });
      assert.deepEqual(await program.ended, { code: 1, signal: null });
      assert.match(program.stderr, new RegExp(`^PORT: 127\\.0\\.0\\.1:${port} is in use\\. .*\\n$`));
      other.close();
    });
  }

  for (const [what, make, expected] of [
    ['a symbolic link to nothing', (path: string) => symlink(`${path}.gone`, path), /is a symbolic link\./],
    ['a symbolic link to a file', (path: string) => symlink('/etc/hostname', path), /is a symbolic link\./],
    ['a file', (path: string) => writeFile(path, 'notes'), /is not a socket\./],
    ['a folder', (path: string) => mkdir(path), /is not a socket\./],
  ] as const) {
    it(`says plainly that LISTEN is ${what}, leaves it there and exits 78`, async () => {
      await using folder = await tempFolder();
      const path = join(folder.path, 'bff.sock');
      await make(path);
      const before = await lstat(path);
      await using program = startProgram({ env: { ...CONFIGURED, LISTEN: path } });
      assert.deepEqual(await program.ended, { code: 78, signal: null });
      assert.match(program.stderr, /^LISTEN: .*\n$/);
      assert.match(program.stderr, expected);
      assert.equal((await lstat(path)).ino, before.ino);
    });
  }

  it('says plainly that LISTEN is in a folder that does not exist, and exits 78', async () => {
    await using program = startProgram({ env: { ...CONFIGURED, LISTEN: '/nowhere/bff.sock' } });
    assert.deepEqual(await program.ended, { code: 78, signal: null });
    assert.match(program.stderr, /^LISTEN: \/nowhere\/bff\.sock can’t be made: its folder must exist .*\n$/);
  });

  it('listens on a unix socket alone, removes it when it stops, and says that it is taken', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'bff.sock');
    await using program = startProgram({ env: { ...CONFIGURED, LISTEN: path } });
    await program.until(/"url":"unix:.*listening on unix:/);
    await using second = startProgram({ env: { ...CONFIGURED, LISTEN: path } });
    assert.deepEqual(await second.ended, { code: 78, signal: null });
    assert.match(second.stderr, /^LISTEN: another program listens on .*\n$/);
    assert(existsSync(path), 'the first one keeps it');
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, { code: 0, signal: null });
    assert.equal(existsSync(path), false);
  });

  it('says plainly that its address is not one of this machine', async () => {
    await using program = startProgram({ env: { ...CONFIGURED, HOST: '203.0.113.9' } });
    assert.equal((await program.ended).code, 1);
    assert.match(program.stderr, /^HOST: 203\.0\.113\.9 is not an address of this machine\. .*\n$/);
  });

  describe('.env', () => {
    const text = 'LEADWAY_TOKEN=pit-from-file\nLEADWAY_LOCATION_ID=fromFile\nMAX_FILES=4\n';

    it('is read in development, and the environment goes before it', async () => {
      await using folder = await tempFolder();
      await writeFile(join(folder.path, '.env'), text);
      await using program = startProgram({
        cwd: folder.path,
        env: { MAX_FILES: '2' },
        args: ['--check-config'],
      });
      assert.equal((await program.ended).code, 0);
      assert.match(program.stdout, /fromFile/);
      assert.match(program.stdout, /MAX_FILES.*2/);
    });

    it('is not read in production', async () => {
      await using folder = await tempFolder();
      await writeFile(join(folder.path, '.env'), text);
      await using program = startProgram({
        cwd: folder.path,
        env: { NODE_ENV: 'production', AUTH: 'none' },
        args: ['--check-config'],
      });
      assert.equal((await program.ended).code, 78);
    });
  });

  describe('in sandbox mode', () => {
    it('prints a curl line that works on a unix socket too', async function () {
      needsPrograms(this, 'curl');
      await using folder = await tempFolder();
      const path = join(folder.path, 'bff.sock');
      await using program = startProgram({ env: { SANDBOX: 'on', LISTEN: path } });
      const [, line = ''] = await program.until(/^try +(curl .+)$/m);
      const { stdout } = await run('sh', ['-c', line.replace('curl', 'curl -sS')]);
      assert.equal((JSON.parse(stdout) as { mode: string }).mode, 'forward');
    });

    it('prints the page, a curl line that works as it is, and the sandbox itself', async function () {
      needsPrograms(this, 'curl');
      const { program, url } = await startSandboxed();
      await using _ = program;
      const page = await fetch(`${url}/`);
      assert.equal(page.status, 200);
      assert.match(page.headers.get('content-type') ?? '', /html/);

      const [, line = ''] = await program.until(/^try +(curl .+)$/m);
      await using elsewhere = await tempFolder();
      for (const cwd of [tmpdir(), elsewhere.path]) {
        const { stdout } = await run('sh', ['-c', `${line.replace('curl', 'curl -sS')}`], { cwd });
        const response = JSON.parse(stdout) as { mode: string; uploadedFiles: Record<string, string> };
        assert.equal(response.mode, 'forward');
        const [stored = ''] = Object.values(response.uploadedFiles);
        const picture = Buffer.from(await (await fetch(stored)).arrayBuffer());
        assert.equal(picture.subarray(1, 4).toString(), 'PNG');
      }

      const [, base, token, location] = await program.until(
        /^sandbox (http:\/\/127\.0\.0\.1:\d+) token=(\S+) location=(\S+)$/m,
      );
      const direct = await fetch(`${base}/conversations/messages/upload/initiate`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${token}`,
          Version: '2021-07-28',
          Accept: 'application/json',
          'Content-Type': 'application/json',
        },
        body: JSON.stringify({
          locationId: location,
          conversationId: /conversationId=(\w+)/.exec(line)?.[1],
          filename: 'a.png',
          contentType: 'image/png',
          channel: 'SMS',
        }),
      });
      assert.equal(direct.status, 200, await direct.text());
    });

    it('prints the token nowhere else', async () => {
      const { program, url } = await startSandboxed({ LOG_LEVEL: 'trace' });
      await using _ = program;
      const [, token = ''] = await program.until(/token=(\S+)/);
      await fetch(`${url}/api/config`);
      assert.equal(program.stdout.split(token).length, 2);
    });

    it('listens on IPv6 when asked to', async function () {
      needsPrograms(this, 'curl');
      const { program, url } = await startSandboxed({ HOST: '::1' });
      await using _ = program;
      assert.match(url, /^http:\/\/\[::1\]:\d+$/);
      assert.equal((await fetch(`${url}/readyz`)).status, 200);
      const [, line = ''] = await program.until(/^try +(curl .+)$/m);
      const { stdout } = await run('sh', ['-c', line.replace('curl', 'curl -sS')]);
      assert.match(stdout, /"mode":"forward"/);
    });
  });

  describe('its output', () => {
    it('is JSON lines if it is not a terminal', async () => {
      await using program = startProgram({ env: CONFIGURED });
      const [line] = await program.until(/^\{.*listening.*\}$/m);
      assert.match((JSON.parse(line) as { url: string }).url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    });

    it('tells the address that it listens on: this machine alone with a token and nothing else', async () => {
      for (const [env, listensOn] of [
        [{ HOST: '' }, 'http://127.0.0.1:'],
        [{ HOST: '0.0.0.0' }, 'http://0.0.0.0:'],
        [{ HOST: '', NODE_ENV: 'production', AUTH: 'none' }, 'http://0.0.0.0:'],
      ] as const) {
        await using program = startProgram({ env: { ...CONFIGURED, ...env } });
        const [line] = await program.until(/^\{.*listening.*\}$/m);
        assert((JSON.parse(line) as { url: string }).url.startsWith(listensOn), line);
      }
    });

    it('is for people on a terminal', async function () {
      needsPrograms(this, 'script');
      try {
        await run('script', ['-qec', 'true', '/dev/null']);
      } catch {
        sayNotRun('the output on a terminal: this machine has no pseudo-terminals');
        this.skip();
      }
      await using program = startProgram({ env: CONFIGURED, isOnTerminal: true });
      await program.until(/INFO.*listening on http/);
      assert.doesNotMatch(program.stdout, /^\{/m);
    });

    it('may lose its reader: uploads matter more than their log', async function () {
      needsPrograms(this, 'curl');
      const { program, url } = await startSandboxed({ LOG_LEVEL: 'trace' });
      await using _ = program;
      const [, line = ''] = await program.until(/^try +(curl .+)$/m);
      program.child.stdout?.destroy();
      program.child.stderr?.destroy();
      for (let i = 0; i < 3; i += 1) await (await fetch(`${url}/api/config`)).text();
      const { stdout } = await run('sh', ['-c', line.replace('curl', 'curl -sS')]);
      assert.match(stdout, /"mode":"forward"/);
      program.child.kill('SIGTERM');
      assert.deepEqual(await program.ended, { code: 0, signal: null });
    });
  });
});

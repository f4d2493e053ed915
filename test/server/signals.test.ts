import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createSandbox } from '../../sandbox/index.ts';
import { encodeForm, FORM_TYPE, mp4 } from '../helpers/multipart.ts';
import { needsPrograms } from '../helpers/programs.ts';
import { settingsFor } from '../helpers/sandbox-settings.ts';
import { filePart, textParts } from '../helpers/send-upload.ts';
import { createTempFile } from '../helpers/temp-file.ts';
import { dial, type Wire } from './http/wire.ts';
import { type Program, startProgram, startSandboxed } from './program.ts';

const FILE = mp4(700_000);

/** An upload of which the last part is held back. */
async function slowUpload(program: Program, url: string): Promise<{ wire: Wire; finish(): void }> {
  const [, conversationId = '', contactId = ''] = await program.until(
    /conversationId=(\w+) -F contactId=(\w+)/,
  );
  return uploadSlowly(url, { conversationId, contactId });
}

async function uploadSlowly(
  url: string,
  { conversationId, contactId }: { conversationId: string; contactId: string },
): Promise<{ wire: Wire; finish(): void }> {
  const form = encodeForm([...textParts({ conversationId, contactId }), filePart('film.mp4', FILE)]);
  const wire = await dial(
    url,
    `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${form.length}\r\nExpect: 100-continue\r\n\r\n`,
  );
  await wire.interim(); // it is in flight from here on
  wire.send(form.subarray(0, -1_000));
  return { wire, finish: () => wire.send(form.subarray(-1_000)) };
}

describe('a signal to stop', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal} lets uploads in flight finish, closes the listener, and exits 0`, async () => {
      const { program, url } = await startSandboxed();
      await using _ = program;
      const { wire, finish } = await slowUpload(program, url);
      using __ = wire;
      using idle = await dial(url, 'GET /api/config HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await idle.response();
      program.child.kill(signal);
      await idle.closed;
      await assert.rejects(fetch(`${url}/readyz`));

      finish();
      const response = await wire.response();
      assert.equal(response.status, 200, response.body);
      assert.equal(response.headers['connection'], 'close');
      assert.deepEqual(await program.ended, { code: 0, signal: null });
    });
  }

  it('is followed by SHUTDOWN_DELAY_MS in which requests are served but /readyz is 503', async () => {
    const { program, url } = await startSandboxed({ SHUTDOWN_DELAY_MS: '600000' });
    await using _ = program;
    program.child.kill('SIGTERM');
    await program.until(/shutting down/);
    const ready = await fetch(`${url}/readyz`);
    assert.equal(ready.status, 503);
    assert.deepEqual(await ready.json(), { status: 'not ready', reasons: ['draining'], notices: [] });
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    const { wire, finish } = await slowUpload(program, url);
    using __ = wire;
    finish();
    assert.equal((await wire.response()).status, 200);
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, { code: 1, signal: null });
    assert.match(program.stdout, /stopped at once by a second signal/);
  });

  it('aborts what has not finished when the grace is over, and exits 1', async () => {
    const { program, url } = await startSandboxed({ SHUTDOWN_GRACE_MS: '300' });
    await using _ = program;
    const { wire } = await slowUpload(program, url);
    using __ = wire;
    program.child.kill('SIGTERM');
    await wire.closed;
    assert.deepEqual(await program.ended, { code: 1, signal: null });
    assert.match(program.stdout, /stopped before every upload had finished/);
  });

  it('aborts it at once when it comes a second time', async () => {
    const { program, url } = await startSandboxed({ SHUTDOWN_GRACE_MS: '3600000' });
    await using _ = program;
    const { wire } = await slowUpload(program, url);
    using __ = wire;
    program.child.kill('SIGTERM');
    await program.until(/shutting down/);
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, { code: 1, signal: null });
    await wire.closed;
  });

  it('ends an idle process although connections are open', async () => {
    const { program, url } = await startSandboxed();
    await using _ = program;
    using kept = await dial(url, 'GET /api/config HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.equal((await kept.response()).status, 200);
    using silent = await dial(url);
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, { code: 0, signal: null });
    await Promise.all([kept.closed, silent.closed]);
  });

  it('does not wait for uploads whose clients have disconnected', async () => {
    const { program, url } = await startSandboxed({ SHUTDOWN_GRACE_MS: '3600000' });
    await using _ = program;
    const { wire } = await slowUpload(program, url);
    program.child.kill('SIGTERM');
    await program.until(/shutting down/);
    wire.socket.destroy();
    assert.deepEqual(await program.ended, { code: 0, signal: null });
  });
});

describe('SIGHUP', () => {
  const OLD = 'pit-test-token-0001';
  const NEW = 'pit-test-token-0002';

  it('reads the token file again and leaves uploads in flight alone', async () => {
    await using file = await createTempFile(OLD);
    const sandbox = await createSandbox({ token: OLD });
    await using _ = { [Symbol.asyncDispose]: () => sandbox.close() };
    const env = { ...settingsFor(sandbox), LEADWAY_TOKEN: '', LEADWAY_TOKEN_FILE: file.path };
    await using program = startProgram({ env });
    const [, url = ''] = await program.until(/"url":"(http:[^"]+)"/);
    const { wire, finish } = await uploadSlowly(url, sandbox);
    using __ = wire;
    await sandbox.waitFor(({ length }) => length === 1);
    await file.write(NEW);
    program.child.kill('SIGHUP');
    await program.until(/SIGHUP: read the token file again/);
    finish();
    const { status, body } = await wire.response();
    assert.equal(status, 200, body);
    sandbox.setToken(NEW);
    const next = await uploadSlowly(url, sandbox);
    using ___ = next.wire;
    next.finish();
    assert.equal((await next.wire.response()).status, 200);
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, { code: 0, signal: null });
  });

  it('does nothing where no token came from a file', async () => {
    const { program, url } = await startSandboxed();
    await using _ = program;
    program.child.kill('SIGHUP');
    await program.until(/SIGHUP: no token file/);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
  });

  it('stops the process on a terminal like SIGINT, after the uploads in flight', async function () {
    needsPrograms(this, 'script');
    const { program, url } = await startSandboxed({}, { isOnTerminal: true });
    await using _ = program;
    const { wire, finish } = await slowUpload(program, url);
    using __ = wire;
    process.kill(await lastDescendant(program.child.pid), 'SIGHUP');
    await program.until(/shutting down/);
    finish();
    assert.equal((await wire.response()).status, 200);
    assert.equal((await program.ended).code, 0);
  });
});

/** The program itself, below `script` and its shell. */
async function lastDescendant(pid = 0): Promise<number> {
  const [child = ''] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ');
  return child === '' ? pid : lastDescendant(Number(child));
}

describe('SIGUSR1', () => {
  it('does not open the inspector', async () => {
    const { program, url } = await startSandboxed();
    await using _ = program;
    program.child.kill('SIGUSR1');
    await program.until(/SIGUSR1 ignored/);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, { code: 0, signal: null });
    assert.doesNotMatch(program.stderr, /Debugger/);
  });
});

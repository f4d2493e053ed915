import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { addressOf, listen, localAddressOf } from '../../../server/http/listen.ts';
import { tempFolder } from '../program.ts';

const HOST = { host: '127.0.0.1', port: 0 };

/** A server that responds with its name, and closes with the test. */
function named(name: string): Server & AsyncDisposable {
  const server = createServer((_req, res) => res.end(name));
  return Object.assign(server, {
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function nameAt(socketPath: string): Promise<string> {
  const request = get({ socketPath, agent: false });
  const [response] = await once(request, 'response');
  return (await response.toArray()).join('');
}

/** Leaves the file of a socket behind, as a process does that is killed. */
async function leaveDeadSocket(path: string): Promise<void> {
  const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const { spawn } = await import('node:child_process');
  await once(spawn(process.execPath, ['-e', program]), 'exit');
}

describe('listening on a unix socket', () => {
  it('makes the socket with mode 0660, whatever the umask, and removes it at the end', async () => {
    await using folder = await tempFolder();
    for (const umask of [0, 0o022, 0o077]) {
      const path = join(folder.path, `${umask}.sock`);
      const before = process.umask(umask);
      try {
        await using server = named('one');
        await listen(server, { ...HOST, path });
        assert.equal(process.umask(), umask, 'the umask is as before');
        assert.equal(statSync(path).mode & 0o777, 0o660);
        assert.equal(await nameAt(path), 'one');
        assert.equal(addressOf(server), `unix:${path}`);
        assert.equal(localAddressOf(server), `unix:${path}`);
      } finally {
        process.umask(before);
      }
      assert.equal(existsSync(path), false);
    }
  });

  it('replaces the socket that a killed process has left', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'bff.sock');
    await leaveDeadSocket(path);
    assert(statSync(path).isSocket());
    await using server = named('next');
    await listen(server, { ...HOST, path });
    assert.equal(await nameAt(path), 'next');
    assert.equal(statSync(path).mode & 0o777, 0o660);
  });

  it('leaves a socket alone that has a listener', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'bff.sock');
    await using first = named('first');
    await listen(first, { ...HOST, path });
    await using second = named('second');
    await assert.rejects(listen(second, { ...HOST, path }), { code: 'EADDRINUSE' });
    assert.equal(await nameAt(path), 'first');
  });

  it('leaves a socket alone whose listener accepts nothing at the moment', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'bff.sock');
    const silent = createNetServer().listen(path);
    await once(silent, 'listening');
    await using server = named('second');
    await assert.rejects(listen(server, { ...HOST, path }), { code: 'EADDRINUSE' });
    silent.close();
  });

  it('never replaces a file that is not a socket', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'notes.txt');
    writeFileSync(path, 'notes');
    await using server = named('one');
    await assert.rejects(listen(server, { ...HOST, path }), { code: 'EADDRINUSE' });
    assert.equal(readFileSync(path, 'utf8'), 'notes');
  });
});

describe('the address of a listener', () => {
  it('is one that a client can use, with brackets around IPv6', async () => {
    for (const [host, listensOn, local] of [
      ['0.0.0.0', /^http:\/\/0\.0\.0\.0:\d+$/, /^http:\/\/127\.0\.0\.1:\d+$/],
      ['::1', /^http:\/\/\[::1\]:\d+$/, /^http:\/\/\[::1\]:\d+$/],
    ] as const) {
      await using server = named('one');
      await listen(server, { host, port: 0 });
      assert.match(addressOf(server), listensOn);
      assert.match(localAddressOf(server), local);
      assert.equal(await (await fetch(localAddressOf(server))).text(), 'one');
      server.closeAllConnections();
    }
  });
});

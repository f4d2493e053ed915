import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import process from 'node:process';

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** The path of a unix socket, in place of host and port. */
  readonly path?: string;
}

/** The owner and the group may connect, which is what a reverse proxy of another user needs. */
const SOCKET_MODE = 0o660;

/**
 * Listens on `address`. A socket file without a listener is replaced.
 *
 * @throws the listener's error, such as `EADDRINUSE`.
 */
export async function listen(server: Server, { host, port, path }: ListenAddress): Promise<void> {
  if (path === undefined) {
    await once(server.listen(port, host), 'listening');
    return;
  }
  try {
    await listenOnSocket(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || !(await isDeadSocket(path))) throw error;
    await unlink(path);
    await listenOnSocket(server, path);
  }
}

/** The address that `server` listens on: `http://host:port`, or `unix:` and the path of a socket. */
export function addressOf(server: Server): string {
  const address = server.address();
  if (address === null) throw new TypeError('the server does not listen');
  if (typeof address === 'string') return `unix:${address}`;
  const { address: host, port } = address;
  return `http://${hostAndPort(host, port)}`;
}

/** `host:port` as in a URL: an IPv6 address is in brackets. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The address for a client on this machine: the loopback one where `server` listens on all of them. */
export function localAddressOf(server: Server): string {
  return addressOf(server).replace(/^http:\/\/(0\.0\.0\.0|\[::\])(?=:)/, 'http://127.0.0.1');
}

async function listenOnSocket(server: Server, path: string): Promise<void> {
  // The file gets its mode when it is made, within listen(): there is no moment in which others may connect.
  const before = process.umask(0o777 & ~SOCKET_MODE);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await once(server, 'listening');
}

async function isDeadSocket(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false;
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

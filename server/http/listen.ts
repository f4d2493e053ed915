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
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const found = await findAt(path);
    if (found !== 'dead socket') throw new PathTaken(found, { cause: error });
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

/** What is at the path of a unix socket. */
type Occupant = 'dead socket' | 'live socket' | 'link' | 'other';

/** Thrown when something is at the path of a unix socket that must not be replaced. */
class PathTaken extends Error {
  override readonly name = 'PathTaken';
  readonly code = 'EADDRINUSE';
  readonly by: Occupant;

  constructor(by: Occupant, options: ErrorOptions) {
    super(`the path of the socket is taken: ${by}`, options);
    this.by = by;
  }
}

async function findAt(path: string): Promise<Occupant> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return 'link';
  if (!found.isSocket()) return 'other';
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return 'live socket';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? 'dead socket' : 'live socket';
  } finally {
    socket.destroy();
  }
}

const EXAMPLE = 'for example LISTEN=/run/leadway-bff/bff.sock';

/**
 * Why a listener did not open, as a plain sentence; null for unexpected errors.
 *
 * @param prefix Of the settings' names.
 */
export function explainListenError(
  error: unknown,
  { host, port, path }: ListenAddress,
  prefix: '' | 'ADMIN_' = '',
): string | null {
  const { code } = error as NodeJS.ErrnoException;
  return path === undefined ? explainTcp(code, host, port, prefix) : explainSocket(error, path);
}

function explainTcp(code: string | undefined, host: string, port: number, prefix: string): string | null {
  const address = hostAndPort(host, port);
  switch (code) {
    case 'EADDRINUSE':
      return `${prefix}PORT: ${address} is in use. Choose another, for example ${prefix}PORT=${prefix === '' ? 3001 : 9091}.`;
    case 'EACCES':
      return `${prefix}PORT: ${address} needs more rights. Choose one above 1023, for example ${prefix}PORT=${prefix === '' ? 3001 : 9091}.`;
    case 'EADDRNOTAVAIL':
      return `${prefix}HOST: ${host} is not an address of this machine. Choose another, for example ${prefix}HOST=127.0.0.1.`;
    case 'EAFNOSUPPORT':
      return `${prefix}HOST: this machine has no IPv6, which ${host} needs. Choose another, for example ${prefix}HOST=0.0.0.0.`;
    case 'ENOTFOUND':
      return `${prefix}HOST: ${host} is not a known name. Choose another, for example ${prefix}HOST=127.0.0.1.`;
    default:
      return null;
  }
}

function explainSocket(error: unknown, path: string): string | null {
  if (error instanceof PathTaken) {
    switch (error.by) {
      case 'link':
        return `LISTEN: ${path} is a symbolic link. Remove it, or name the socket itself, ${EXAMPLE}.`;
      case 'other':
        return `LISTEN: ${path} exists and is not a socket. Remove it, or choose another path, ${EXAMPLE}.`;
      default:
        return `LISTEN: another program listens on ${path}. Stop it, or choose another path, ${EXAMPLE}.`;
    }
  }
  switch ((error as NodeJS.ErrnoException).code) {
    // libuv reports a folder that does not exist as EACCES.
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
      return `LISTEN: ${path} can’t be made: its folder must exist and this user must be able to write to it.`;
    default:
      return null;
  }
}

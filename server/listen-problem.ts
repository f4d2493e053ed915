import { hostAndPort, type ListenAddress } from './http/listen.ts';

const EXAMPLE = 'for example LISTEN=/run/leadway-bff/bff.sock';

/**
 * Why a listener did not open, as a plain sentence; null for what nobody expected.
 *
 * @param prefix Of the settings' names.
 */
export function explainListenError(
  error: unknown,
  { host, port, path }: ListenAddress,
  prefix: '' | 'ADMIN_' = '',
): string | null {
  const { code } = error as NodeJS.ErrnoException;
  return path === undefined ? explainTcp(code, host, port, prefix) : explainSocket(code, path);
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

function explainSocket(code: string | undefined, path: string): string | null {
  switch (code) {
    case 'EADDRINUSE':
      return `LISTEN: another program listens on ${path}, or it is not a socket. Choose another path, ${EXAMPLE}.`;
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

import type { Config } from './config/config.ts';

/** Why a listener did not open, as a plain sentence; null for what nobody expected. */
export function explainListenError(error: unknown, { host, port }: Config['listen']): string | null {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return `PORT: ${host}:${port} is in use. Choose another, for example PORT=3001.`;
    case 'EACCES':
      return `PORT: ${host}:${port} needs more rights. Choose one above 1023, for example PORT=3001.`;
    case 'EADDRNOTAVAIL':
      return `HOST: ${host} is not an address of this machine. Choose another, for example HOST=127.0.0.1.`;
    case 'ENOTFOUND':
      return `HOST: ${host} is not a known name. Choose another, for example HOST=127.0.0.1.`;
    default:
      return null;
  }
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a TLS server needs. */
export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** Signs certificates that only the tests trust. Needs openssl: call `needsPrograms(this, 'openssl')` before. */
export interface Authority extends Disposable {
  /** For `NODE_EXTRA_CA_CERTS`. */
  readonly file: string;
  /** @param days For how long it is valid; a negative number makes one that has expired. */
  issue(host: string, days?: number): Certificate;
  selfSigned(host: string): Certificate;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes an authority in its own folder, which is gone when the test is. */
export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'leadway-bff-ca-'));
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const named = (host: string) => ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  const read = (): Certificate => ({
    key: readFileSync(join(folder, 'key.pem')),
    cert: readFileSync(join(folder, 'cert.pem')),
  });
  openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=Test CA',
    '-days',
    '2',
  );
  return {
    file: join(folder, 'ca.pem'),
    issue(host, days = 2) {
      openssl('req', ...NEW_KEY, '-keyout', 'key.pem', '-out', 'request.csr', ...named(host));
      const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', `${days}`, '-copy_extensions', 'copy'];
      openssl('x509', '-req', '-in', 'request.csr', '-out', 'cert.pem', ...by);
      return read();
    },
    selfSigned(host) {
      openssl(
        'req',
        '-x509',
        ...NEW_KEY,
        '-keyout',
        'key.pem',
        '-out',
        'cert.pem',
        '-days',
        '2',
        ...named(host),
      );
      return read();
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

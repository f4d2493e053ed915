import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../helpers/certificates.ts';

/** The files of a self-signed certificate for `localhost`. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  /** Both in one file, as HAProxy reads them. */
  readonly bundle: string;
  /** The certificate itself, for a client to trust. */
  readonly ca: string;
}

/** Writes a certificate into `folder`. */
export function writeCertificate(folder: string): CertificateFiles {
  using authority = createAuthority();
  const { cert, key } = authority.selfSigned('localhost');
  const write = (name: string, content: Buffer): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  return {
    certificate: write('certificate.pem', cert),
    key: write('key.pem', key),
    bundle: write('bundle.pem', Buffer.concat([cert, key])),
    ca: cert.toString(),
  };
}

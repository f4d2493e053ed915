import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../helpers/programs.ts';

/** The files of a self-signed certificate for the loopback address. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  /** Both in one file, as HAProxy reads them. */
  readonly bundle: string;
  /** The certificate itself, for a client to trust. */
  readonly ca: string;
}

/** Makes a certificate in `folder`, valid for a day. */
export function createCertificate(folder: string): Certificate {
  const certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  const bundle = join(folder, 'bundle.pem');
  execFileSync(
    findProgram('openssl') ?? 'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', key, '-out', certificate],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ca = readFileSync(certificate, 'utf8');
  writeFileSync(bundle, ca + readFileSync(key, 'utf8'), { mode: 0o600 });
  return { certificate, key, bundle, ca };
}

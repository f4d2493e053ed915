import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { findProgram } from '../helpers/programs.ts';
import type { CertificateFiles } from './certificate.ts';

/** What a configuration is made for. */
export interface ProxySite {
  /** Where the proxy listens, on the loopback address. */
  readonly port: number;
  /** `host:port` of the server behind it, or `unix:/path`, which nginx alone takes. */
  readonly upstream: string;
  /** Null: without TLS. */
  readonly certificate: CertificateFiles | null;
  /** Its own folder, readable by everyone. */
  readonly folder: string;
}

/** How a proxy is run for a site. */
export interface ProxyCommand {
  /** Files to write into the site's folder, by name. */
  readonly files: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

/** A proxy with one configuration of it. */
export interface ProxySetup {
  readonly name: string;
  readonly program: string;
  /** Whether the configuration is the one under `deploy/proxies`, unchanged. */
  readonly isDocumented: boolean;
  command(site: ProxySite): ProxyCommand;
}

/** The folder of a configuration's texts, and what they are replaced by. */
type Replacements = readonly (readonly [from: string, to: string])[];

const isRoot = process.getuid?.() === 0;

/** The text of a file under `deploy/proxies`. */
function readProxyFile(name: string): string {
  return readFileSync(new URL(`../../deploy/proxies/${name}`, import.meta.url), 'utf8');
}

/** Replaces each text, which must be there: otherwise a test would not run what it says. */
function substitute(text: string, replacements: Replacements): string {
  let result = text;
  for (const [from, to] of replacements) {
    if (!result.includes(from)) throw new TypeError(`the configuration has no ${JSON.stringify(from)}`);
    result = result.replaceAll(from, to);
  }
  return result;
}

/** The replacements for the paths of a certificate, or for the lines that name them where there is none. */
function certificatePaths(
  certificate: CertificateFiles | null,
  certificateLine: string,
  keyLine: string,
): Replacements {
  const [pem, key] = ['/etc/ssl/certs/uploads.example.com.pem', '/etc/ssl/private/uploads.example.com.key'];
  if (certificate !== null)
    return [
      [pem, certificate.certificate],
      [key, certificate.key],
    ];
  return [
    [certificateLine.replace('%', pem), ''],
    [keyLine.replace('%', key), ''],
  ];
}

/** Whether the installed nginx knows `http2 on;`. */
function hasHttp2Directive(): boolean {
  // `nginx -v` prints to standard error.
  const said = execFileSync('/bin/sh', ['-c', `${findProgram('nginx')} -v 2>&1`], { encoding: 'utf8' });
  const [major = 0, minor = 0, patch = 0] = (/nginx\/([\d.]+)/.exec(said)?.[1] ?? '').split('.').map(Number);
  return major * 1e6 + minor * 1e3 + patch >= 1_025_001;
}

/** Runs nginx on what stands in its `http` block. */
function nginxCommand(folder: string, http: string): ProxyCommand {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const lines = [
    // The folder is this user's; the workers would run as another one.
    ...(isRoot ? ['user root;'] : []),
    `pid ${folder}/nginx.pid;`,
    'worker_processes 1;',
    'events {}',
    'http {',
    'access_log off;',
    ...kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`),
    http,
    '}',
  ];
  return {
    files: { 'nginx.conf': lines.join('\n') },
    args: ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr', '-g', 'daemon off;'],
  };
}

function documentedNginx(
  { port, upstream, certificate, folder }: ProxySite,
  changes: Replacements = [],
): ProxyCommand {
  const isNew = hasHttp2Directive();
  const listen = isNew ? 'listen 443 ssl;' : 'listen 443 ssl http2;';
  const text = substitute(readProxyFile(isNew ? 'nginx.conf' : 'nginx-1.22.conf'), [
    ...changes,
    ['127.0.0.1:3000', upstream],
    [listen, certificate === null ? `listen 127.0.0.1:${port};` : listen.replace('443', `127.0.0.1:${port}`)],
    ...Object.entries({
      '# ssl_certificate /etc/ssl/certs/uploads.example.com.pem;':
        certificate && `ssl_certificate ${certificate.certificate};`,
      '# ssl_certificate_key /etc/ssl/private/uploads.example.com.key;':
        certificate && `ssl_certificate_key ${certificate.key};`,
    }).map(([from, to]) => [from, to ?? ''] as const),
  ]);
  return nginxCommand(folder, text);
}

/** nginx with nothing but `proxy_pass`, and its size limit raised. */
function bareNginx({ port, upstream, certificate, folder }: ProxySite, ...extra: string[]): ProxyCommand {
  const listen = hasHttp2Directive()
    ? `listen 127.0.0.1:${port} ssl; http2 on;`
    : `listen 127.0.0.1:${port} ssl http2;`;
  const server =
    certificate === null
      ? [`listen 127.0.0.1:${port};`]
      : [listen, `ssl_certificate ${certificate.certificate};`, `ssl_certificate_key ${certificate.key};`];
  const location = [`proxy_pass http://${upstream};`, 'client_max_body_size 128m;', ...extra];
  return nginxCommand(folder, `server { ${server.join(' ')} location / { ${location.join(' ')} } }`);
}

function haproxyCommand({ port, upstream, certificate, folder }: ProxySite): ProxyCommand {
  const bind = 'bind :443 ssl crt /etc/haproxy/certs/uploads.example.com.pem alpn h2,http/1.1';
  const tls = certificate === null ? '' : ` ssl crt ${certificate.bundle} alpn h2,http/1.1`;
  const text = substitute(readProxyFile('haproxy.cfg'), [
    ['    log /dev/log local0\n    user haproxy\n    group haproxy\n', '    log stderr format raw local0\n'],
    ['127.0.0.1:3000', upstream],
    [bind, `bind 127.0.0.1:${port}${tls}`],
  ]);
  return { files: { 'haproxy.cfg': text }, args: ['-db', '-f', join(folder, 'haproxy.cfg')] };
}

function caddyCommand({ port, upstream, certificate, folder }: ProxySite): ProxyCommand {
  const site =
    certificate === null
      ? `http://127.0.0.1:${port} {`
      : `https://localhost:${port} {\n\ttls ${certificate.certificate} ${certificate.key}`;
  const text = substitute(readProxyFile('Caddyfile'), [
    ['uploads.example.com {', site],
    ['127.0.0.1:3000', upstream],
  ]);
  return {
    files: { Caddyfile: `{\n\tadmin off\n\tauto_https off\n}\n${text}` },
    args: ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
  };
}

/** What the documented file needs, and what Debian loads anyway. */
const APACHE_MODULES = [
  ...['mpm_event', 'authz_core', 'alias', 'env', 'reqtimeout', 'socache_shmcb'],
  ...['ssl', 'http2', 'headers', 'proxy', 'proxy_http'],
];

/** Debian's folder of modules, and those of other distributions. */
const APACHE_FOLDERS = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/lib/httpd/modules'];

function apacheCommand({ port, upstream, certificate, folder }: ProxySite): ProxyCommand {
  const modules = APACHE_FOLDERS.find((path) => existsSync(path));
  const site = substitute(readProxyFile('apache.conf'), [
    ['<VirtualHost *:443>', `<VirtualHost 127.0.0.1:${port}>`],
    ['127.0.0.1:3000', upstream],
    ['SSLEngine on', `SSLEngine ${certificate === null ? 'off' : 'on'}`],
    ...certificatePaths(certificate, 'SSLCertificateFile %', 'SSLCertificateKeyFile %'),
  ]);
  const lines = [
    ...APACHE_MODULES.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`),
    // Apache rejects to serve as root.
    ...(isRoot ? ['User www-data', 'Group www-data'] : []),
    `ServerRoot ${folder}`,
    `DefaultRuntimeDir ${folder}`,
    `PidFile ${folder}/apache.pid`,
    `ErrorLog ${folder}/proxy.log`,
    `Listen 127.0.0.1:${port}`,
    'ServerName localhost',
    site,
  ];
  return {
    files: { 'apache.conf': lines.join('\n') },
    args: ['-D', 'FOREGROUND', '-f', join(folder, 'apache.conf')],
  };
}

/** Every proxy of the matrix, in the order of its table. */
export const PROXIES: readonly ProxySetup[] = [
  { name: 'nginx', program: 'nginx', isDocumented: true, command: (site) => documentedNginx(site) },
  {
    name: 'nginx that buffers requests',
    program: 'nginx',
    isDocumented: false,
    command: (site) =>
      documentedNginx(site, [['proxy_request_buffering off;', 'proxy_request_buffering on;']]),
  },
  {
    name: 'nginx with `proxy_pass` only',
    program: 'nginx',
    isDocumented: false,
    command: (site) => bareNginx(site),
  },
  {
    name: 'nginx with `proxy_pass` only, not buffering',
    program: 'nginx',
    isDocumented: false,
    command: (site) => bareNginx(site, 'proxy_request_buffering off;'),
  },
  { name: 'HAProxy', program: 'haproxy', isDocumented: true, command: haproxyCommand },
  { name: 'Caddy', program: 'caddy', isDocumented: true, command: caddyCommand },
  { name: 'Apache', program: 'apache2', isDocumented: true, command: apacheCommand },
];

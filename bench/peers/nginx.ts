import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** What nginx is to do. */
export interface NginxOptions {
  readonly port: number;
  /** Ports of what it hands requests to, in turns. */
  readonly backends: readonly number[];
  /** Added as a bearer token; null adds none. */
  readonly token: string | null;
}

/** A configuration in a folder of its own, which goes when it goes out of use. */
export interface NginxConfig extends Disposable {
  readonly command: readonly string[];
}

/** Configures an nginx that streams in both directions, checks nothing and is one process. */
export function writeNginxConfig({ port, backends, token }: NginxOptions): NginxConfig {
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const path = join(folder, 'nginx.conf');
  // As root, which it is in a network of its own too, it would give its folders to somebody who is not there.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    path,
    `daemon off;
master_process off;
${user}
worker_rlimit_nofile 8192;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  upstream backends {
    ${backends.map((backend) => `server 127.0.0.1:${backend};`).join('\n    ')}
    keepalive 256;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    keepalive_requests 1000000;
    location / {
      proxy_pass http://backends;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      ${token === null ? '' : `proxy_set_header Authorization "Bearer ${token}";`}
      proxy_request_buffering off;
      proxy_buffering off;
    }
  }
}
`,
  );
  return {
    command: ['nginx', '-p', folder, '-e', 'stderr', '-c', path],
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

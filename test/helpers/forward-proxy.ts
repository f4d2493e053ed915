import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** Options of {@link createForwardProxy}. */
export interface ForwardProxyOptions {
  /** The ports of this machine that stand for hosts: `leadway.test:443` to 12345. Others are 502. */
  readonly hosts: Readonly<Record<string, number>>;
  /** `user:password` that it wants; by default none. */
  readonly credentials?: string;
  /** Takes CONNECT and never responds. */
  readonly isSilent?: boolean;
}

/** A proxy as companies have them: tunnels for https, requests with whole URLs for http. */
export interface ForwardProxy extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
  /** `CONNECT host:port` and `METHOD url`, in order. */
  readonly seen: string[];
}

/** Listens on a free port of the loopback address. */
export async function createForwardProxy(options: ForwardProxyOptions): Promise<ForwardProxy> {
  const { hosts, credentials, isSilent = false } = options;
  const wanted = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((req, res) => {
    seen.push(`${req.method} ${req.url}`);
    if (wanted !== undefined && req.headers['proxy-authorization'] !== wanted)
      return res.writeHead(407).end();
    const url = new URL(req.url ?? '');
    const port = hosts[`${url.hostname}:${url.port || 80}`];
    if (port === undefined) return res.writeHead(502).end();
    const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = req.headers;
    const path = `${url.pathname}${url.search}`;
    const onward = request({ host: '127.0.0.1', port, method: req.method, path, headers }, (response) => {
      res.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(res);
    });
    onward.on('error', () => res.destroy());
    return req.pipe(onward);
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', (req, socket: Socket, head) => {
    seen.push(`CONNECT ${req.url}`);
    socket.on('error', () => socket.destroy());
    if (isSilent) return;
    if (wanted !== undefined && req.headers['proxy-authorization'] !== wanted) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const port = hosts[req.url ?? ''];
    if (port === undefined) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    sockets.add(onward);
    onward.on('error', () => socket.destroy());
    onward.once('close', () => socket.destroy());
    socket.once('close', () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${credentials === undefined ? '' : `${credentials}@`}${host}`,
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

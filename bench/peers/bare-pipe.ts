// The least that a proxy in Node can do: inject the token, check nothing, pipe. What everything is compared to.
import http from 'node:http';
import process from 'node:process';

const { PORT: port, UPSTREAM_PORT: upstreamPort, TOKEN: token } = process.env;
const agent = new http.Agent({ keepAlive: true });

http
  .createServer((req, res) => {
    const upstream = http.request(
      {
        host: '127.0.0.1',
        port: Number(upstreamPort),
        agent,
        method: req.method,
        path: req.url,
        headers: { ...req.headers, host: `127.0.0.1:${upstreamPort}`, authorization: `Bearer ${token}` },
      },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
      },
    );
    upstream.on('error', () => res.destroy());
    req.pipe(upstream);
  })
  .listen(Number(port), '127.0.0.1');

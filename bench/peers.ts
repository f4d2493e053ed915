// What our server is compared to, each in its own process: `node bench/peers.ts bare-pipe`.
import http from 'node:http';
import https from 'node:https';
import process from 'node:process';
import type { Request, Response } from 'express';

const { PORT: port, UPSTREAM: upstream = '', TOKEN: token } = process.env;
const { request, Agent } = upstream.startsWith('https:') ? https : http;
const agent = new Agent({ keepAlive: true });
const authorization = `Bearer ${token}`;

const PEERS: Readonly<Record<string, () => void | Promise<void>>> = {
  'bare-pipe': listenAsBarePipe,
  'http-proxy-middleware': listenAsMiddleware,
  tutorial: listenAsTutorial,
};

await PEERS[process.argv[2] ?? '']?.();

/** The least that a proxy in Node can do: add the token and pipe. All ratios refer to it. */
function listenAsBarePipe(): void {
  const { host, hostname, port: upstreamPort } = new URL(upstream);
  http
    .createServer((req, res) => {
      const headers = { ...req.headers, host, authorization };
      const options = { hostname, port: upstreamPort, agent, method: req.method, path: req.url, headers };
      const outgoing = request(options, (response) => {
        res.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(res);
      });
      outgoing.on('error', () => res.destroy());
      req.pipe(outgoing);
    })
    .listen(Number(port), '127.0.0.1');
}

/** What most people mount first: the proxy middleware on Express. */
async function listenAsMiddleware(): Promise<void> {
  const { default: express } = await import('express');
  const { createProxyMiddleware } = await import('http-proxy-middleware');
  express()
    .use(createProxyMiddleware({ target: upstream, changeOrigin: true, headers: { authorization }, agent }))
    .listen(Number(port), '127.0.0.1');
}

/** What most articles show: multer keeps the file in memory, form-data builds a new form, axios posts it. */
async function listenAsTutorial(): Promise<void> {
  const [{ default: express }, { default: multer }, { default: FormData }, { default: axios }] =
    await Promise.all([import('express'), import('multer'), import('form-data'), import('axios')]);
  const path = '/conversations/messages/upload';
  const app = express();
  const upload = multer({ storage: multer.memoryStorage() });
  app.post(path, upload.single('fileAttachment'), async (req: Request, res: Response) => {
    const { file } = req;
    if (file === undefined) {
      res.status(400).json({ message: 'no file' });
      return;
    }
    const form = new FormData();
    for (const [name, value] of Object.entries(req.body as Record<string, string>)) form.append(name, value);
    form.append('fileAttachment', file.buffer, { filename: file.originalname, contentType: file.mimetype });
    const response = await axios.post(`${upstream}${path}`, form, {
      headers: { ...form.getHeaders(), authorization },
      maxBodyLength: Number.POSITIVE_INFINITY,
    });
    res.status(response.status).json(response.data);
  });
  app.post(`${path}/initiate`, express.json(), async (req: Request, res: Response) => {
    const { status, data } = await axios.post(`${upstream}${path}/initiate`, req.body, {
      headers: { authorization },
    });
    res.status(status).json(data);
  });
  app.listen(Number(port), '127.0.0.1');
}

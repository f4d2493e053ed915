// HEALTHCHECK of the image: exits 0 if the server in this container is alive, and 1 if it is not.
import { get } from 'node:http';
import process from 'node:process';

const { LISTEN, HOST, PORT } = process.env;
const isEverywhere = HOST === undefined || HOST === '' || HOST === '0.0.0.0' || HOST === '::';
const target = LISTEN
  ? { socketPath: LISTEN }
  : { host: isEverywhere ? '127.0.0.1' : HOST, port: PORT || 3000 };

get({ ...target, path: '/healthz', timeout: 2_500 }, ({ statusCode }) =>
  process.exit(statusCode === 200 ? 0 : 1),
)
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));

import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import { PROXIES } from './proxies.ts';
import { send } from './send.ts';
import { assertExpected, type MatrixUpload, rejectedUploads } from './uploads.ts';
import { describeProxies, itOverEach, withProxy } from './with-proxy.ts';

/** `npm run matrix` repeats each 40 times. */
const TIMES = 5;

describe('an upload of 50 MiB that is rejected behind', function () {
  this.timeout(60_000);
  let sandbox: Sandbox;
  let server: ServerProcess;
  let uploads: MatrixUpload[];
  before(async () => {
    sandbox = await createSandbox();
    // Its own process: the client must not wait for the server's turn, nor the server for the client's.
    server = await startServerProcess(sandbox, { TRUST_PROXY: 'loopback', RATE_LIMIT_MAX: '100000' });
    uploads = rejectedUploads({ conversationId: sandbox.conversationId, contactId: sandbox.contactId });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await sandbox.close();
  });

  describeProxies(PROXIES, (setup) => {
    itOverEach('reaches the client as JSON every time', (transport) =>
      withProxy(setup, transport, server.url, async (proxy) => {
        for (const upload of uploads) {
          for (let time = 0; time < TIMES; time += 1) {
            assertExpected(await send(proxy, transport, upload.sending), upload);
          }
        }
      }),
    );
  });
});

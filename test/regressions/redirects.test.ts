import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { call } from '../helpers/call.ts';
import { complete, initiated, putContent } from '../helpers/direct-steps.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

interface Listening extends AsyncDisposable {
  readonly url: string;
  /** How many requests came. */
  requests(): number;
}

async function listen(handle: RequestListener): Promise<Listening> {
  let requests = 0;
  const server = createServer((req, res) => {
    requests += 1;
    handle(req, res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Where a redirect points: it would take whatever comes, and say that all is well. */
const takeAll: RequestListener = (req, res) => {
  req.resume();
  res
    .writeHead(200, { 'Content-Type': 'application/json' })
    .end('{"uploadedFiles":{"a.txt":"https://x.test/"}}');
};

/** Leadway and storage in one, of which all that `isMoved` names has moved to `trap`. */
function createUpstream(
  trap: string,
  status: number,
  isMoved: (path: string) => boolean,
): Promise<Listening> {
  return listen((req, res) => {
    const path = req.url ?? '';
    req.resume().once('end', () => {
      if (isMoved(path)) {
        res.writeHead(status, { Location: `${trap}${path}` }).end();
        return;
      }
      const signed = {
        uploadUrl: `http://${req.headers.host}/bucket/a.txt?X-Goog-Signature=00`,
        uploadId: 'upload',
        filePath: 'bucket/a.txt',
        expiresAt: Date.now() + 60_000,
        maxFileSize: 5_000_000,
      };
      res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(signed));
    });
  });
}

interface Moved {
  readonly what: string;
  readonly isMoved: (path: string) => boolean;
  readonly send: (
    testServer: TestServer,
  ) => Promise<{ readonly status: number; readonly body: { readonly code?: string } }>;
  readonly response: string;
}

const upload = (testServer: TestServer, query: string) =>
  sendUpload(testServer, [...textParts(testServer.fields), filePart('a.txt', 'text')], { query });

const CASES: readonly Moved[] = [
  {
    what: 'a forwarded upload',
    isMoved: () => true,
    send: (testServer) => upload(testServer, '?mode=forward'),
    response: '502 UPSTREAM_ERROR',
  },
  {
    what: 'an initiate call',
    isMoved: () => true,
    send: (testServer) => upload(testServer, '?mode=direct'),
    response: '502 UPSTREAM_ERROR',
  },
  {
    what: 'a passed call',
    isMoved: () => true,
    send: (testServer) => call(testServer, { path: '/conversations/1' }),
    response: '502 UPSTREAM_ERROR',
  },
  {
    what: 'a file that is put into storage by relay',
    isMoved: (path) => path.startsWith('/bucket'),
    send: (testServer) => upload(testServer, '?mode=relay'),
    response: '502 STORAGE_REFUSED',
  },
  {
    what: 'a file that is put into storage with a ticket',
    isMoved: (path) => path.startsWith('/bucket'),
    send: async (testServer) => putContent(testServer, await initiated(testServer), 'text'),
    response: '502 STORAGE_REFUSED',
  },
  {
    what: 'a complete call',
    isMoved: (path) => path.endsWith('/complete'),
    send: async (testServer) => complete(testServer, { ticket: (await initiated(testServer)).ticket }),
    response: '502 UPSTREAM_ERROR',
  },
];

describe('a redirect by Leadway or storage', () => {
  for (const { what, isMoved, send, response } of CASES) {
    it(`brings nothing of ${what} to where it points`, async () => {
      for (const status of [301, 302, 303, 307, 308]) {
        await using trap = await listen(takeAll);
        await using upstream = await createUpstream(trap.url, status, isMoved);
        await using testServer = await createTestServer({
          env: {
            LEADWAY_BASE_URL: upstream.url,
            STORAGE_ORIGINS: `${upstream.url},${trap.url}`,
            PASSTHROUGH: 'GET /conversations/:id',
          },
        });
        const { status: responded, body } = await send(testServer);
        assert.equal(`${responded} ${body.code}`, response);
        assert(upstream.requests() > 0);
        assert.equal(trap.requests(), 0);
      }
    });
  }
});

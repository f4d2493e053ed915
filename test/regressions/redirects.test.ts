import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { call } from '../helpers/call.ts';
import { complete, initiated, putContent } from '../helpers/direct-steps.ts';
import { createHouse, type House } from '../helpers/house.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';

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
    house: House,
  ) => Promise<{ readonly status: number; readonly body: { readonly code?: string } }>;
  readonly answer: string;
}

const upload = (house: House, query: string) =>
  sendUpload(house, [...textParts(house.fields), filePart('a.txt', 'text')], { query });

const CASES: readonly Moved[] = [
  {
    what: 'a forwarded upload',
    isMoved: () => true,
    send: (house) => upload(house, '?mode=forward'),
    answer: '502 UPSTREAM_ERROR',
  },
  {
    what: 'an initiate call',
    isMoved: () => true,
    send: (house) => upload(house, '?mode=direct'),
    answer: '502 UPSTREAM_ERROR',
  },
  {
    what: 'a passed call',
    isMoved: () => true,
    send: (house) => call(house, { path: '/conversations/1' }),
    answer: '502 UPSTREAM_ERROR',
  },
  {
    what: 'a file that is put into storage by relay',
    isMoved: (path) => path.startsWith('/bucket'),
    send: (house) => upload(house, '?mode=relay'),
    answer: '502 STORAGE_REFUSED',
  },
  {
    what: 'a file that is put into storage with a ticket',
    isMoved: (path) => path.startsWith('/bucket'),
    send: async (house) => putContent(house, await initiated(house), 'text'),
    answer: '502 STORAGE_REFUSED',
  },
  {
    what: 'a complete call',
    isMoved: (path) => path.endsWith('/complete'),
    send: async (house) => complete(house, { ticket: (await initiated(house)).ticket }),
    answer: '502 UPSTREAM_ERROR',
  },
];

describe('a redirect by Leadway or storage', () => {
  for (const { what, isMoved, send, answer } of CASES) {
    it(`brings nothing of ${what} to where it points`, async () => {
      for (const status of [301, 302, 303, 307, 308]) {
        await using trap = await listen(takeAll);
        await using upstream = await createUpstream(trap.url, status, isMoved);
        await using house = await createHouse({
          env: {
            LEADWAY_BASE_URL: upstream.url,
            STORAGE_ORIGINS: `${upstream.url},${trap.url}`,
            PASSTHROUGH: 'GET /conversations/:id',
          },
        });
        const { status: answered, body } = await send(house);
        assert.equal(`${answered} ${body.code}`, answer);
        assert(upstream.requests() > 0);
        assert.equal(trap.requests(), 0);
      }
    });
  }
});

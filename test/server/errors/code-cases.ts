import { UploadRejected } from '../../../server/embedding.ts';
import type { ErrorCode } from '../../../server/errors/codes.ts';
import { fixture, type Part } from '../../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../../helpers/send-upload.ts';
import type { TestServer, TestServerOptions } from '../../helpers/test-server.ts';
import type { WireResponse } from '../http/wire.ts';
import type { ErrorResponse } from './assert-error.ts';
import { call, initiate, meanwhile, meet, PICTURE, post, raw, upload } from './provoking.ts';

/** How a code comes about. */
export interface CodeCase {
  /** Ends the sentence "is what a client gets for …". */
  readonly what: string;
  readonly testServer?: TestServerOptions;
  readonly provoke: (testServer: TestServer) => Promise<ErrorResponse | WireResponse>;
  /** With a clamd that responds so. */
  readonly clamd?: string;
  /** Uploads that Leadway read to the end before it rejected them or failed. */
  readonly completeUploads?: number;
}

const KEY = { headers: { 'Idempotency-Key': 'one-key' } };

/** One case for every code that can be reached. */
export const CODE_CASES: Readonly<Partial<Record<ErrorCode, CodeCase>>> = {
  BAD_REQUEST: { what: 'garbage', provoke: raw('garbage\r\n\r\n') },
  BAD_MULTIPART: {
    what: 'a form that breaks off',
    provoke: (testServer) => sendUpload(testServer, Buffer.from('--test-boundary\r\n')),
  },
  BAD_JSON: {
    what: 'half an object',
    provoke: (testServer) => post(testServer, '/messages/upload/complete', '{'),
  },
  MISSING_FIELD: {
    what: 'a direct upload to no conversation',
    provoke: (testServer) => upload(testServer, [PICTURE], { conversationId: '' }, { query: '?mode=direct' }),
  },
  INVALID_FIELD: {
    what: 'an id that is a path',
    provoke: (testServer) => upload(testServer, [PICTURE], { conversationId: '../x' }),
  },
  DUPLICATE_FIELD: {
    what: 'two contacts',
    provoke: (testServer) => upload(testServer, [{ name: 'contactId', content: 'other' }, PICTURE]),
  },
  UNEXPECTED_FILE_FIELD: {
    what: 'a file under another name',
    provoke: (testServer) => upload(testServer, [{ ...PICTURE, name: 'attachment' }]),
  },
  NO_FILE: { what: 'a form without a file', provoke: (testServer) => upload(testServer, []) },
  TOO_MANY_FILES: {
    what: 'a sixth file',
    provoke: (testServer) => upload(testServer, Array<Part>(6).fill(PICTURE)),
  },
  EMPTY_FILE: { what: 'no bytes', provoke: (testServer) => upload(testServer, [filePart('empty.png', '')]) },
  BAD_FILENAME: {
    what: 'a name that turns round on the screen',
    provoke: (testServer) => upload(testServer, [filePart('a\u202egnp.exe.png', fixture('picture.png'))]),
  },
  SIZE_MISMATCH: {
    what: 'another size than was declared',
    provoke: (testServer) => upload(testServer, [PICTURE], { fileSize: '5' }),
  },
  FIELD_ORDER: {
    what: 'a relayed file before its conversation',
    provoke: (testServer) =>
      sendUpload(
        testServer,
        [
          filePart('film.mp4', Buffer.concat([fixture('moov-last.mp4'), Buffer.alloc(600_000)])),
          ...textParts(testServer.fields),
        ],
        { query: '?mode=relay' },
      ),
  },
  ORIGIN_NOT_ALLOWED: {
    what: 'a form on a foreign page',
    provoke: (testServer) =>
      upload(testServer, [PICTURE], {}, { headers: { Origin: 'https://evil.example' } }),
  },
  UNAUTHENTICATED: {
    what: 'coming past the proxy that knows users',
    testServer: { env: { AUTH: 'header', TRUST_PROXY: '127.0.0.1' } },
    provoke: (testServer) => upload(testServer, [PICTURE]),
  },
  LOCATION_NOT_ALLOWED: {
    what: 'a location of somebody else',
    provoke: (testServer) => upload(testServer, [PICTURE], { locationId: 'another' }),
  },
  TICKET_INVALID: {
    what: 'a ticket of their own making',
    provoke: (testServer) => post(testServer, '/messages/upload/complete', { ticket: 'e30.e30.e30.e30.e30' }),
  },
  NOT_FOUND: { what: 'an unknown address', provoke: (testServer) => call(testServer, '/nothing') },
  NOT_UPLOADED: {
    what: 'completing what was never put into storage',
    async provoke(testServer) {
      const { ticket } = await initiate(testServer);
      return post(testServer, '/messages/upload/complete', { ticket });
    },
  },
  METHOD_NOT_ALLOWED: {
    what: 'looking where one can only post',
    provoke: (testServer) => call(testServer, '/messages/upload'),
  },
  REQUEST_TIMEOUT: {
    what: 'a body that does not come',
    testServer: { env: { UPLOAD_IDLE_TIMEOUT_MS: '50' } },
    provoke: raw(
      'POST /api/messages/upload/complete HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    ),
  },
  TICKET_EXPIRED: {
    what: 'an expired ticket',
    testServer: { sandbox: { urlTtlMs: 0 } },
    async provoke(testServer) {
      const { ticket = '' } = await initiate(testServer);
      const headers = { 'Upload-Ticket': ticket, 'Content-Type': 'image/png' };
      return call(testServer, '/messages/upload/content', { method: 'PUT', headers, body: 'x' });
    },
  },
  FILE_TOO_LARGE: {
    what: 'more bytes than a channel takes',
    testServer: { env: { FORWARD_MAX_BYTES: '1000', FORWARD_HOLD_BYTES: '100' } },
    provoke: (testServer) =>
      upload(testServer, [filePart('picture.jpg', fixture('picture.jpg'))], {}, { query: '?mode=forward' }),
  },
  BODY_TOO_LARGE: {
    what: 'JSON over 1 MiB',
    provoke: (testServer) =>
      post(testServer, '/messages/upload/complete', { ticket: 'x'.repeat(1024 * 1024) }),
  },
  URI_TOO_LONG: {
    what: 'an address of 20 KiB',
    provoke: raw(`GET /${'a'.repeat(20 * 1024)} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
  },
  NOT_MULTIPART: {
    what: 'JSON where a form is taken',
    provoke: (testServer) => post(testServer, '/messages/upload', {}),
  },
  NOT_JSON: {
    what: 'a form where JSON is taken',
    provoke: (testServer) =>
      post(testServer, '/messages/upload/complete', 'a=b', { 'Content-Type': 'text/plain' }),
  },
  UNSUPPORTED_ENCODING: {
    what: 'a compressed body',
    provoke: (testServer) => upload(testServer, [PICTURE], {}, { headers: { 'Content-Encoding': 'gzip' } }),
  },
  TYPE_NOT_ALLOWED: {
    what: 'a program',
    provoke: (testServer) => upload(testServer, [filePart('program.exe', fixture('program.exe'))]),
  },
  TYPE_MISMATCH: {
    what: 'a program under the name of a document',
    provoke: (testServer) => upload(testServer, [filePart('program.pdf', fixture('program.exe'))]),
  },
  EXPECTATION_FAILED: {
    what: 'an unknown expectation',
    provoke: raw('GET /api/config HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\n\r\n'),
  },
  RATE_LIMITED: {
    what: 'one request too many',
    testServer: { env: { RATE_LIMIT_MAX: '1' } },
    async provoke(testServer) {
      await call(testServer, '/messages/upload');
      return call(testServer, '/messages/upload');
    },
  },
  NOT_DELIVERABLE: {
    what: 'a file that WhatsApp drops, where delivery is strict',
    testServer: { env: { STRICT_DELIVERY: 'on', ALLOWED_TYPES: '+gif' } },
    provoke: (testServer) =>
      upload(testServer, [
        { name: 'channel', content: 'WHATSAPP' },
        filePart('a.gif', fixture('picture.gif')),
      ]),
  },
  UPLOAD_REJECTED: {
    what: 'what the embedding program rejects',
    testServer: {
      embedding: {
        beforeUpload() {
          throw new UploadRejected(422, 'No pictures, please.');
        },
      },
    },
    provoke: (testServer) => upload(testServer, [PICTURE]),
  },
  IDEMPOTENCY_UNKNOWN: {
    what: 'a repeat of a request whose outcome is unknown',
    testServer: { env: { UPSTREAM_TIMEOUT_MS: '100' } },
    async provoke(testServer) {
      testServer.sandbox.fault = 'never-answers';
      await upload(testServer, [PICTURE], {}, KEY);
      return upload(testServer, [PICTURE], {}, KEY);
    },
    completeUploads: 1,
  },
  IDEMPOTENCY_MISMATCH: {
    what: 'another request with the same key',
    async provoke(testServer) {
      await upload(testServer, [PICTURE], {}, KEY);
      return upload(testServer, [PICTURE, PICTURE], {}, KEY);
    },
    completeUploads: 1,
  },
  FILE_INFECTED: {
    what: 'a file that clamd rejects',
    clamd: 'stream: Eicar-Signature FOUND',
    provoke: (testServer) => upload(testServer, [PICTURE]),
  },
  SCAN_UNAVAILABLE: {
    what: 'a file that clamd can not scan',
    clamd: 'UNKNOWN COMMAND',
    provoke: (testServer) => upload(testServer, [PICTURE]),
  },
  TOO_MANY_UPLOADS: {
    what: 'one upload too many at once',
    testServer: { env: { MAX_CONCURRENT_UPLOADS_PER_CALLER: '1', TRUST_PROXY: '1' } },
    provoke: (testServer) => meanwhile(testServer, '192.0.2.1'),
  },
  HEADERS_TOO_LARGE: {
    what: 'a cookie of 20 KiB',
    provoke: raw(`GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ${'a'.repeat(20 * 1024)}\r\n\r\n`),
  },
  INTERNAL: {
    what: 'a mistake of ours',
    provoke(testServer) {
      testServer.server.context.slots.take = () => {
        throw new TypeError('a mistake at /srv/app/secret.ts with pit-12345');
      };
      return upload(testServer);
    },
  },
  DIRECT_UNAVAILABLE: {
    what: 'asking for what is not offered',
    provoke: meet('no-initiate', '?mode=direct'),
  },
  UPSTREAM_ERROR: { what: 'a page where JSON was due', provoke: meet('html'), completeUploads: 1 },
  UPSTREAM_UNREACHABLE: {
    what: 'a closed port',
    async provoke(testServer) {
      testServer.sandbox.fault = 'refuse';
      await testServer.sandbox.ready();
      return upload(testServer);
    },
  },
  UPSTREAM_AUTH: { what: 'a token that Leadway rejects', provoke: meet('bad-token'), completeUploads: 1 },
  UPSTREAM_ABORTED: { what: 'a connection that breaks', provoke: meet('cut'), completeUploads: 1 },
  UPSTREAM_REJECTED: { what: 'what Leadway finds wrong', provoke: meet('status-422'), completeUploads: 1 },
  STORAGE_REFUSED: { what: 'what storage does not take', provoke: meet('storage-403', '?mode=relay') },
  BUSY: {
    what: 'coming when every place is taken',
    testServer: { env: { MAX_CONCURRENT_UPLOADS: '1', TRUST_PROXY: '1' } },
    provoke: (testServer) => meanwhile(testServer, '192.0.2.2'),
  },
  DRAINING: {
    what: 'coming while the server shuts down',
    provoke(testServer) {
      testServer.server.context.lifecycle.markDraining();
      return upload(testServer);
    },
  },
  UPSTREAM_BUDGET: {
    what: 'a call that Leadway would reject for its number',
    testServer: { sandbox: { rateLimit: { max: 1, intervalMs: 10_000, daily: 1_000 } } },
    async provoke(testServer) {
      await upload(testServer, [PICTURE]);
      return upload(testServer, [PICTURE]);
    },
    completeUploads: 1,
  },
  UPSTREAM_TIMEOUT: {
    what: 'an upstream that never responds',
    testServer: { env: { UPSTREAM_TIMEOUT_MS: '100' } },
    provoke: meet('never-answers'),
    completeUploads: 1,
  },
};

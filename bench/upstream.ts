// Stands in for Leadway, a process of its own: takes whole requests, counts their bytes, answers 200.
import { createServer, type Socket } from 'node:net';
import process from 'node:process';
import type { UpstreamCommand, UpstreamReport } from './messages.ts';
import { BodyReader } from './upstream-body.ts';
import { readCaptured } from './upstream-capture.ts';

const ANSWER_BODY = '{"uploadedFiles":{"clip.mp4":"https://storage.example.com/clip.mp4"},"traceId":"bench"}';
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n` +
    `Content-Length: ${ANSWER_BODY.length}\r\n\r\n${ANSWER_BODY}`,
);
const END_OF_HEAD = '\r\n\r\n';

let requests = 0;
let bodyBytes = 0;
let isCapturing = false;

const server = createServer({ noDelay: true }, serve);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') report({ kind: 'listening', port: address.port });
});
process.on('message', (command: UpstreamCommand) => {
  if (command === 'capture') {
    isCapturing = true;
    report({ kind: 'capturing' });
    return;
  }
  report({ kind: 'counted', requests, bodyBytes });
  requests = 0;
  bodyBytes = 0;
});
process.once('disconnect', () => process.exit());

function report(message: UpstreamReport): void {
  process.send?.(message);
}

function serve(socket: Socket): void {
  let head = '';
  let body: BodyReader | null = null;
  let captured: Buffer[] | null = null;

  socket.on('error', () => {}); // a refused upload is cut: nothing to say about it
  socket.on('data', (data: Buffer) => {
    const rest = body === null ? beginRequest(data) : data;
    if (body?.take(rest, captured) !== true) return;
    requests += 1;
    bodyBytes += body.bytes;
    if (captured !== null) {
      isCapturing = false;
      report({ kind: 'captured', request: readCaptured(head, Buffer.concat(captured)) });
    }
    head = '';
    body = null;
    captured = null;
    socket.write(ANSWER);
  });

  /** The bytes that follow the head, once it is there. */
  function beginRequest(data: Buffer): Buffer {
    const before = head.length;
    head += data.toString('latin1');
    const end = head.indexOf(END_OF_HEAD);
    if (end === -1) return data.subarray(data.length);
    head = head.slice(0, end);
    body = new BodyReader(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
    captured = isCapturing ? [] : null;
    return data.subarray(end + END_OF_HEAD.length - before);
  }
}

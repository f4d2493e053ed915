// Stands in for Leadway, a process of its own: takes whole requests, counts their bytes, answers 200.
import { createServer, type Socket } from 'node:net';
import process from 'node:process';
import { systemNowMs } from '../clock.ts';
import type { UpstreamCommand, UpstreamReport } from '../messages.ts';
import { answerTo } from './answers.ts';
import { BodyReader } from './body.ts';
import { readCaptured } from './capture.ts';

const END_OF_HEAD = '\r\n\r\n';

let requests = 0;
let bodyBytes = 0;
let lastByteAtMs = 0;
let isCapturing = false;
let bytesPerSecond: number | null = null;

const server = createServer({ noDelay: true }, serve);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') report({ kind: 'listening', port: address.port });
});
process.on('message', (message: UpstreamCommand) => report(obey(message)));
process.once('disconnect', () => process.exit());

function obey(message: UpstreamCommand): UpstreamReport {
  switch (message.command) {
    case 'capture':
      isCapturing = true;
      return { kind: 'done' };
    case 'pace':
      ({ bytesPerSecond } = message);
      return { kind: 'done' };
    case 'count': {
      const counted = { kind: 'counted', requests, bodyBytes, lastByteAtMs } as const;
      requests = 0;
      bodyBytes = 0;
      return counted;
    }
  }
}

function report(message: UpstreamReport): void {
  process.send?.(message);
}

function serve(socket: Socket): void {
  let head = '';
  let body: BodyReader | null = null;
  let captured: Buffer[] | null = null;

  socket.on('error', () => {}); // a refused upload is cut: nothing to say about it
  socket.on('data', (data: Buffer) => {
    if (bytesPerSecond !== null) rest(socket, (data.length / bytesPerSecond) * 1000);
    const content = body === null ? beginRequest(data) : data;
    if (body?.take(content, captured) !== true) return;
    lastByteAtMs = systemNowMs();
    requests += 1;
    bodyBytes += body.bytes;
    if (captured !== null) {
      isCapturing = false;
      report({ kind: 'captured', request: readCaptured(head, Buffer.concat(captured)) });
    }
    const answer = answerTo(head);
    head = '';
    body = null;
    captured = null;
    socket.write(answer);
  });

  /** The bytes that follow the head, once it is there. */
  function beginRequest(data: Buffer): Buffer {
    const before = head.length;
    head += data.toString('latin1');
    const end = head.indexOf(END_OF_HEAD);
    if (end === -1) return data.subarray(data.length);
    head = head.slice(0, end);
    body = new BodyReader(head);
    captured = isCapturing ? [] : null;
    return data.subarray(end + END_OF_HEAD.length - before);
  }
}

/** Reads nothing for a while: what a slow receiver does. */
function rest(socket: Socket, ms: number): void {
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}

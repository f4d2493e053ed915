import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it arrived. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** 2 for an error. */
  readonly status: number;
}

/** An OTLP/HTTP collector, which is an HTTP proxy as well. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly resource: Record<string, string | number | boolean>;
  /** What was asked for: a path, or a whole URL by those who take it for a proxy. */
  readonly targets: string[];
}

/** Starts a collector that decodes what arrives. */
export async function startOtlpReceiver(status = 200): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const resource: Record<string, string | number | boolean> = {};
  const targets: string[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.once('end', () => {
      targets.push(req.url ?? '');
      for (const resourceSpans of messages(decode(Buffer.concat(chunks)), 1)) {
        for (const message of messages(resourceSpans, 1)) Object.assign(resource, attributesOf(message, 1));
        for (const scopeSpans of messages(resourceSpans, 2))
          spans.push(...messages(scopeSpans, 2).map(toSpan));
      }
      res.writeHead(status, { 'Content-Type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    resource,
    targets,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

// What opentelemetry/proto/trace/v1/trace.proto defines, as far as the tests look at it.
function toSpan(span: Message): ReceivedSpan {
  const hex = (field: number): string => bytes(span, field).toString('hex');
  return {
    name: bytes(span, 5).toString(),
    traceId: hex(1),
    spanId: hex(2),
    parentSpanId: hex(4),
    kind: number(span, 6),
    durationMs: Number(bytes(span, 8).readBigUInt64LE() - bytes(span, 7).readBigUInt64LE()) / 1e6,
    attributes: attributesOf(span, 9),
    status: messages(span, 15).map((status) => number(status, 3))[0] ?? 0,
  };
}

function attributesOf(message: Message, field: number): Record<string, string | number | boolean> {
  return Object.fromEntries(
    messages(message, field).map((pair) => {
      const [value = new Map()] = messages(pair, 2);
      const isText = value.has(1);
      const isBoolean = value.has(2);
      const read = isText
        ? bytes(value, 1).toString()
        : isBoolean
          ? number(value, 2) === 1
          : number(value, 3);
      return [bytes(pair, 1).toString(), read];
    }),
  );
}

/** The values of each field, by its number. */
type Message = Map<number, (Buffer | number)[]>;

function messages(message: Message, field: number): Message[] {
  return (message.get(field) ?? []).map((value) => decode(value as Buffer));
}

function bytes(message: Message, field: number): Buffer {
  return (message.get(field)?.[0] as Buffer | undefined) ?? Buffer.alloc(0);
}

function number(message: Message, field: number): number {
  return (message.get(field)?.[0] as number | undefined) ?? 0;
}

/** Reads a protobuf message without knowing its schema. */
function decode(buffer: Buffer): Message {
  const message: Message = new Map();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = buffer[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    return buffer.subarray(at - length, at);
  };
  while (at < buffer.length) {
    const tag = varint();
    const wireType = tag % 8;
    const value = wireType === 0 ? varint() : take(wireType === 1 ? 8 : wireType === 5 ? 4 : varint());
    const field = Math.floor(tag / 8);
    message.set(field, [...(message.get(field) ?? []), value]);
  }
  return message;
}

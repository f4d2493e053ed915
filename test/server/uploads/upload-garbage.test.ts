import assert from 'node:assert/strict';
import http from 'node:http';
import { createSandbox } from '../../../sandbox/index.ts';
import { createFakeLeadway, type FakeLeadway } from '../../helpers/fake-leadway.ts';
import { encodeForm, FORM_TYPE, mp4 } from '../../helpers/multipart.ts';
import { filePart, textParts } from '../../helpers/send-upload.ts';
import { type ServerProcess, startServerProcess } from '../../helpers/server-process.ts';

const UPLOADS = 2_000;
const AT_ONCE = 16;
/** An upload whose request outlives it leaves 12 to 22 KiB; one that ends with it, 1. */
const ALLOWED_BYTES = 5 * 1024;

/**
 * What an upload leaves behind for V8's full collection, in place of dying young: it is what a process under load
 * grows by, and what its longest pauses come from. V8 tells of each collection how large the heap was before and
 * after; what grows from one "after" to the next has outlived its uploads.
 */
describe('what an upload leaves in memory', () => {
  let leadway: FakeLeadway;
  let server: ServerProcess;
  let fields: Readonly<Record<string, string>>;
  const heapAfterMinor: number[] = [];

  before(async () => {
    await using sandbox = await createSandbox();
    fields = { conversationId: sandbox.conversationId, contactId: sandbox.contactId };
    leadway = await createFakeLeadway(() => ({
      status: 200,
      json: { uploadedFiles: { a: 'https://x.example/a' } },
    }));
    server = await startServerProcess(
      sandbox,
      { LEADWAY_BASE_URL: leadway.url, RATE_LIMIT_MAX: '1000000' },
      {
        nodeOptions: ['--trace-gc'],
        onLine: (line) => {
          const after = /Scavenge [\d.]+ \([\d.]+\) -> ([\d.]+)/.exec(line)?.[1];
          if (after !== undefined) heapAfterMinor.push(Number(after) * 1024 * 1024);
        },
      },
    );
    await upload('clip.mp4', 200, {});
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await leadway[Symbol.asyncDispose]();
  });

  const cases = [
    { what: 'that was forwarded', name: 'clip.mp4', status: 200, headers: {} },
    {
      what: 'that came in chunks',
      name: 'clip.mp4',
      status: 200,
      headers: { 'Transfer-Encoding': 'chunked' },
    },
    { what: 'that was rejected', name: 'clip.pdf', status: 415, headers: {} },
  ];
  for (const { what, name, status, headers } of cases) {
    it(`hardly anything of one ${what}`, async () => {
      const from = heapAfterMinor.length;
      await upload(name, status, headers);
      const left = grownBy(heapAfterMinor.slice(from)) / UPLOADS;
      assert(heapAfterMinor.length - from >= 4, 'too few collections to tell');
      assert(left < ALLOWED_BYTES, `${(left / 1024).toFixed(1)} KiB of each upload stay`);
    }).timeout(60_000);
  }

  async function upload(name: string, status: number, headers: http.OutgoingHttpHeaders): Promise<void> {
    const form = encodeForm([...textParts(fields), filePart(name, mp4(2_000), 'video/mp4')]);
    const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
    const options = { method: 'POST', agent, headers: { 'Content-Type': FORM_TYPE, ...headers } };
    let begun = 0;
    const one = (): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const req = http.request(`${server.url}/api/messages/upload`, options, (res) => {
          res.resume().once('end', () => resolve(res.statusCode));
        });
        req.once('error', reject).end(form);
      });
    const goOn = async (): Promise<void> => {
      while (begun++ < UPLOADS) assert.equal(await one(), status);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, goOn));
    agent.destroy();
  }
});

/** A full collection in between makes the heap smaller, and counts for nothing. */
function grownBy(sizes: readonly number[]): number {
  return sizes.reduce((sum, size, at) => sum + Math.max(0, size - (sizes[at - 1] ?? size)), 0);
}

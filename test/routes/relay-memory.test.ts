import assert from 'node:assert/strict';
import { platform } from 'node:process';
import { createSandbox } from '../../sandbox/index.ts';
import { call, fields, file, seen } from '../helpers/direct-steps.ts';
import { encodeForm, FORM_TYPE, mp4 } from '../helpers/multipart.ts';
import { startServerProcess } from '../helpers/server-process.ts';

const MIB = 1024 * 1024;
const FILM_BYTES = 60_000_000;
const AT_ONCE = 10;
const ALLOWED_GROWTH = 32 * MIB;

describe('the memory of the server', () => {
  before(function skipWhereUnknown() {
    if (platform !== 'linux') this.skip();
  });

  it(`grows by less than 32 MiB while ${AT_ONCE} videos of 60 MB are relayed at once`, async () => {
    await using sandbox = await createSandbox({ discardFiles: true });
    await using server = await startServerProcess(sandbox);
    const formOf = (bytes: number): Buffer => {
      const target = fields({ conversationId: sandbox.conversationId, channel: 'WHATSAPP' });
      return encodeForm([...target, file('film.mp4', mp4(bytes), 'video/mp4')]);
    };
    const relayAtOnce = async (count: number, body: Buffer): Promise<void> => {
      const url = `${server.url}/api/messages/upload?mode=relay`;
      const headers = { 'Content-Type': FORM_TYPE };
      const replies = await Promise.all(Array.from({ length: count }, () => call(url, { headers, body })));
      for (const { status, text } of replies) assert.equal(status, 200, text);
    };
    await relayAtOnce(2, formOf(2 * MIB));

    const idle = server.residentBytes();
    server.forgetPeak();
    await relayAtOnce(AT_ONCE, formOf(FILM_BYTES));
    const growth = server.peakBytes() - idle;

    const stored = seen({ sandbox }, 'put').filter(({ files }) => files?.[0]?.size === FILM_BYTES);
    assert.equal(stored.length, AT_ONCE);
    console.log(`      idle ${toMib(idle)} MiB, ${AT_ONCE} relays at once add ${toMib(growth)} MiB`);
    assert(growth < ALLOWED_GROWTH, `it grew by ${toMib(growth)} MiB`);
  }).timeout(60_000);
});

function toMib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}

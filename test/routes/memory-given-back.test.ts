import assert from 'node:assert/strict';
import { platform } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSandbox } from '../../sandbox/index.ts';
import { call, fields, file } from '../helpers/direct-steps.ts';
import { encodeForm, FORM_TYPE, mp4 } from '../helpers/multipart.ts';
import { startServerProcess } from '../helpers/server-process.ts';

const MIB = 1024 * 1024;
const AT_ONCE = 50;
const FILE_BYTES = 5_000_000;
/** Without a collection nothing is given back at all, however long one waits. */
const GIVEN_BACK = 12 * MIB;
const DEADLINE_MS = 75_000;

describe('the memory of the server after a load', () => {
  before(function skipWhereUnknown() {
    if (platform !== 'linux') this.skip();
  });

  it('goes back to the system when nobody uploads any more', async () => {
    await using sandbox = await createSandbox({ discardFiles: true });
    await using server = await startServerProcess(sandbox);
    const { conversationId, contactId } = sandbox;
    const target = fields({ conversationId, contactId, channel: 'WHATSAPP' });
    const body = encodeForm([...target, file('film.mp4', mp4(FILE_BYTES), 'video/mp4')]);
    const url = `${server.url}/api/messages/upload?mode=forward`;
    const headers = { 'Content-Type': FORM_TYPE };
    const replies = await Promise.all(Array.from({ length: AT_ONCE }, () => call(url, { headers, body })));
    for (const { status, text } of replies) assert.equal(status, 200, text);

    const loaded = server.residentBytes();
    const deadline = performance.now() + DEADLINE_MS;
    while (loaded - server.residentBytes() < GIVEN_BACK && performance.now() < deadline) await sleep(500);
    const givenBack = loaded - server.residentBytes();
    console.log(`      of ${toMib(loaded)} MiB it gives back ${toMib(givenBack)} MiB`);
    assert(givenBack >= GIVEN_BACK, `it gave back ${toMib(givenBack)} MiB only`);
  }).timeout(120_000);
});

function toMib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}

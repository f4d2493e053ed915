import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { RefusalCommand, RefusalResult } from '../../bench/messages.ts';
import { nodeCommand, Part } from '../../bench/processes.ts';
import { createHouse } from '../helpers/house.ts';

const READ_BYTES = 64 * 1024;
const MAX_BYTES = 2 * 1024 * 1024 + READ_BYTES;

describe('a caller in another process that sends at full speed after a refusal', () => {
  it('is read no further than 2 MiB and the read that passes them', async () => {
    await using house = await createHouse();
    // Only a caller of its own fills the socket while the server is busy with what it read last.
    await using caller = new Part('other', nodeCommand('bench/load/main.ts'), {}, true);
    const readFurther: Promise<number>[] = [];
    const note = (message: unknown): void => {
      const { request } = message as { readonly request: IncomingMessage };
      const { socket } = request;
      const before = socket.bytesRead;
      readFurther.push(
        new Promise((resolve) => socket.once('close', () => resolve(socket.bytesRead - before))),
      );
    };
    diagnostics.subscribe('http.server.response.finish', note);
    try {
      const { hostname, port } = new URL(house.url);
      assert.equal(hostname, '127.0.0.1');
      for (let count = 0; count < 10; count += 1) {
        const command: RefusalCommand = {
          command: 'refusal',
          port: Number(port),
          path: `${new URL(house.api).pathname}/messages/upload`,
          fileBytes: 20_000_000,
        };
        const { status, failure } = await caller.ask<RefusalResult>(command);
        assert(status === 415 || failure !== null, `${status}`);
      }
      assert.equal(readFurther.length, 10);
      for (const bytes of await Promise.all(readFurther)) assert(bytes <= MAX_BYTES, `${bytes} bytes`);
    } finally {
      diagnostics.unsubscribe('http.server.response.finish', note);
    }
  });
});

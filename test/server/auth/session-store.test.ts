import assert from 'node:assert/strict';
import { createLocalSessionStore, createSharedSessionStore } from '../../../server/auth/session-store.ts';
import type { SharedStore } from '../../../server/redis/store.ts';

describe('the memory of sessions', () => {
  let nowMs: number;
  const now = (): number => nowMs;
  beforeEach(() => {
    nowMs = 1_000_000;
  });

  /** A Redis that says what the test wants. */
  function storeOf(respond: (command: readonly string[]) => unknown) {
    const commands: string[][] = [];
    const store: SharedStore = {
      isUp: true,
      async send(...command) {
        commands.push(command);
        return respond(command);
      },
      problem: () => null,
      async [Symbol.asyncDispose]() {},
    };
    return { commands, memory: createSharedSessionStore(store, now) };
  }
  const away = () => storeOf(() => Promise.reject(new Error('Redis is down'))).memory;

  for (const [where, create] of [
    ['this process', () => createLocalSessionStore(now)],
    ['this process while Redis is down', away],
  ] as const) {
    it(`counts in ${where} how often a context was used, and since when`, async () => {
      const memory = create();
      assert.deepEqual(await memory.countUse('a'), { count: 1, firstAt: 1_000_000 });
      nowMs += 5_000;
      assert.deepEqual(await memory.countUse('a'), { count: 2, firstAt: 1_000_000 });
      assert.deepEqual(await memory.countUse('b'), { count: 1, firstAt: 1_005_000 });
    });

    it(`knows in ${where} which sessions have ended, for as long as they would have lived`, async () => {
      const memory = create();
      await memory.end('s1', nowMs + 1_000);
      assert.equal(await memory.hasEnded('s1'), true);
      assert.equal(await memory.hasEnded('s2'), false);
      nowMs += 999;
      await memory.end('s2', nowMs + 1_000);
      assert.equal(await memory.hasEnded('s1'), true);
      nowMs += 1;
      await memory.end('s3', nowMs + 1_000);
      assert.equal(await memory.hasEnded('s1'), false, 'it opens nothing by itself any more');
      assert.equal(await memory.hasEnded('s2'), true);
    });
  }

  it('forgets the oldest contexts first, and no more than it has to', async () => {
    const memory = createLocalSessionStore(now);
    for (let id = 0; id < 100_000; id += 1) await memory.countUse(`context-${id}`);
    assert.equal((await memory.countUse('context-0')).count, 2);
    await memory.countUse('one more');
    assert.equal((await memory.countUse('context-1')).count, 2);
    assert.equal((await memory.countUse('context-0')).count, 1);
  });

  it('believes the greater count and the earlier time, of Redis or of its own', async () => {
    const greater = storeOf(() => [7, '900000']).memory;
    assert.deepEqual(await greater.countUse('a'), { count: 7, firstAt: 900_000 });
    const lesser = storeOf(() => [1, '1000500']).memory;
    await lesser.countUse('a');
    assert.deepEqual(await lesser.countUse('a'), { count: 2, firstAt: 1_000_000 });
  });

  it('tells Redis what has ended, for as long as that matters, and asks it', async () => {
    const { memory, commands } = storeOf(([name]) => (name === 'EXISTS' ? 1 : 'OK'));
    await memory.end('s1', nowMs + 1_500.2);
    assert.deepEqual(commands, [['SET', 'leadway-bff:ended:s1', '1', 'PX', '1501']]);
    await memory.end('s0', nowMs - 5);
    assert.deepEqual(commands.at(-1)?.at(-1), '1', 'never without an end');
    assert.equal(await memory.hasEnded('elsewhere'), true);
    assert.deepEqual(commands.at(-1), ['EXISTS', 'leadway-bff:ended:elsewhere']);
    assert.equal(await storeOf(() => 0).memory.hasEnded('elsewhere'), false);
  });
});

import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { createLogger, type Logger } from '../../../server/logger.ts';
import { openSharedStore, type SharedStore } from '../../../server/redis/store.ts';
import { type ClientSlots, createClientSlots } from '../../../server/uploads/slots.ts';
import { LogSink } from '../../helpers/log-sink.ts';
import { needsRedis, startRedis, type TestRedis } from '../../helpers/redis.ts';
import { settled } from '../../helpers/test-server.ts';

const LEASE_MS = 300;

/** A store that notes its commands and lets the test say what comes of them. */
class FakeStore implements SharedStore {
  isUp = true;
  /** `EVALSHA`, `ZREM key id`, … */
  readonly commands: string[][] = [];
  respond: (command: readonly string[]) => unknown = () => 1;

  async send(...command: string[]): Promise<unknown> {
    this.commands.push(command);
    return this.respond(command);
  }

  problem(): null {
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the slots of a client', () => {
  let logger: Logger;
  before(async () => {
    logger = await createLogger({ level: 'silent', destination: new LogSink() });
  });

  describe('while Redis comes and goes', () => {
    let store: FakeStore;
    let slots: ClientSlots;
    beforeEach(() => {
      mock.timers.enable({ apis: ['setInterval'] });
      store = new FakeStore();
      slots = createClientSlots({ store, logger, leaseMs: LEASE_MS });
    });
    afterEach(() => {
      slots[Symbol.dispose]();
      mock.timers.reset();
    });
    const sent = (name: string) => store.commands.filter(([first]) => first === name).length;
    const renew = async () => {
      store.commands.length = 0;
      mock.timers.tick(LEASE_MS / 3);
      await turn();
    };

    it('are renewed three times in each lease, until they are released', async () => {
      const release = await slots.take('ann', 1);
      await renew();
      assert.equal(sent('EVALSHA'), 1);
      await renew();
      assert.equal(sent('EVALSHA'), 1);
      release?.();
      await turn();
      assert.equal(sent('ZREM'), 1);
      await renew();
      assert.deepEqual(store.commands, []);
    });

    it('are rejected when there are as many as allowed, and nothing is renewed then', async () => {
      store.respond = () => 0;
      assert.equal(await slots.take('ann', 1), null);
      await renew();
      assert.deepEqual(store.commands, []);
    });

    it('are never rejected by a Redis that does not respond, and counted when it is back', async () => {
      store.respond = () => Promise.reject(new Error('away'));
      const release = await slots.take('ann', 1);
      assert(release !== null);
      store.isUp = false;
      await renew();
      assert.deepEqual(store.commands, [], 'nobody is asked meanwhile');
      store.isUp = true;
      store.respond = () => 1;
      await renew();
      assert.equal(sent('EVALSHA'), 1);
    });

    it('that were released while Redis was down are released when it is there again', async () => {
      const release = await slots.take('ann', 1);
      store.respond = () => Promise.reject(new Error('away'));
      store.isUp = false;
      release?.();
      await turn();
      await renew();
      assert.deepEqual(store.commands, []);
      store.isUp = true;
      await renew();
      assert.deepEqual([sent('ZREM'), sent('EVALSHA')], [1, 0]);
      store.respond = () => 1;
      await renew();
      assert.deepEqual([sent('ZREM'), sent('EVALSHA')], [1, 0], 'until it has got through');
      await renew();
      assert.deepEqual(store.commands, []);
    });

    it('that were released while Redis was down are forgotten when their leases have ended', async () => {
      const release = await slots.take('ann', 1);
      store.respond = () => Promise.reject(new Error('away'));
      store.isUp = false;
      release?.();
      await turn();
      for (let renewals = 0; renewals < 4; renewals += 1) await renew();
      store.isUp = true;
      await renew();
      assert.deepEqual(store.commands, []);
    });

    it('are released once, however often that is asked for', async () => {
      const release = await slots.take('ann', 1);
      release?.();
      await turn();
      release?.();
      await turn();
      assert.equal(sent('ZREM'), 1);
    });

    it('are renewed no more once the process stops', async () => {
      await slots.take('ann', 1);
      slots[Symbol.dispose]();
      await renew();
      assert.deepEqual(store.commands, []);
    });
  });

  describe('in Redis', function suite() {
    needsRedis(this);
    let redis: TestRedis;
    let stores: SharedStore[];
    let all: ClientSlots[];
    beforeEach(async () => {
      redis = await startRedis();
      stores = [];
      all = [];
    });
    afterEach(async () => {
      for (const slots of all) slots[Symbol.dispose]();
      for (const store of stores) await store[Symbol.asyncDispose]();
      await redis.kill();
    });
    const replica = async (): Promise<ClientSlots> => {
      const store = openSharedStore(redis.url, logger);
      stores.push(store);
      await settled(() => store.isUp, 'Redis is there');
      const slots = createClientSlots({ store, logger, leaseMs: LEASE_MS });
      all.push(slots);
      return slots;
    };

    it('that a dead replica held end with their lease, though the living ones go on', async () => {
      const [dead, alive] = [await replica(), await replica()];
      assert(await dead.take('ann', 3));
      assert(await dead.take('ann', 3));
      dead[Symbol.dispose]();
      // Each success makes the key live on, and must not keep the dead slots with it.
      const release = await alive.take('ann', 3);
      assert(release !== null);
      assert.equal(await alive.take('ann', 3), null);
      const taken: (() => void)[] = [];
      while (taken.length < 2) {
        const more = await alive.take('ann', 3);
        if (more !== null) taken.push(more);
      }
      assert.equal(await alive.take('ann', 3), null, 'what is alive stays taken');
    });

    it('are as many as allowed, each client with its own', async () => {
      const [one, other] = [await replica(), await replica()];
      assert(await one.take('ann', 2));
      const second = await other.take('ann', 2);
      assert.equal(await one.take('ann', 2), null);
      assert(await one.take('anna', 2));
      second?.();
      await settled(() => true, 'the release is on its way');
      let again = await other.take('ann', 2);
      while (again === null) again = await other.take('ann', 2);
      assert.equal(await one.take('ann', 2), null);
    });
  });
});

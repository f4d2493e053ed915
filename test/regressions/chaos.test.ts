import assert from 'node:assert/strict';
import process from 'node:process';
import { createSandbox } from '../../sandbox/index.ts';
import { runChaos } from '../helpers/chaos.ts';
import { startMeasuredServer } from '../helpers/measured-server.ts';

/** How long, in seconds; `CHAOS_SECONDS=3600` is an hour of it. `CHAOS_SEED` plays one run again. */
const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 60);
const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

describe(`${SECONDS} s of good, bad, cut, unread and half-closed pipelines (CHAOS_SEED=${SEED})`, () => {
  it('give each request its own response, and leave nothing behind', async () => {
    await using sandbox = await createSandbox({ rateLimit: { max: 1e6, intervalMs: 10_000, daily: 1e9 } });
    await using server = await startMeasuredServer(sandbox, { MAX_CONCURRENT_UPLOADS_PER_CALLER: '16' });
    await runChaos(server.url, sandbox, { seed: SEED, forMs: 3_000 }); // loads everything
    sandbox.reset();
    const baseline = await server.measure();
    const { connections, responses } = await runChaos(server.url, sandbox, {
      seed: SEED + 1,
      forMs: SECONDS * 1000,
    });
    assert(
      connections > SECONDS && responses > SECONDS,
      `${connections} connections, ${responses} responses`,
    );
    await server.assertAtBaseline(baseline);
    assert.equal(await server.stop(), 0);
  }).timeout(SECONDS * 1000 + 60_000);
});

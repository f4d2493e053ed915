import { readdirSync } from 'node:fs';
import process from 'node:process';
import { loadConfig } from '../../server/config/config.ts';
import { createLogger } from '../../server/logger.ts';
import { startServer } from '../../server/server.ts';
import type { Measurement } from './measured-server.ts';

// The server of measured-server.ts, with everything that it holds open to be counted.

const loaded = loadConfig(process.env);
if (!loaded.ok) throw new Error('bad settings');
const logger = await createLogger({ level: 'silent' });
const server = await startServer({ ...loaded, logger });
const { slots, activity, lingering } = server.context;

process.on('message', (message) => {
  if (message === 'measure') process.send?.(measure());
});
process.once('SIGTERM', async () => {
  process.exitCode = (await server.drain({ graceMs: loaded.config.shutdownGraceMs })) ? 0 : 1;
  process.disconnect();
});
process.send?.(server.url);

function measure(): Measurement {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    slots: slots.taken,
    inFlight: activity.requests,
    lingering: lingering.count,
    connections: server.openConnections(),
    descriptors: readdirSync('/proc/self/fd').length,
    liveBytes: heapUsed + external,
    residentBytes: rss,
  };
}

import type { Bench } from '../bench.ts';
import type { Finding } from '../finding.ts';
import { measureConnections } from './connections.ts';
import { measureCutThrough } from './cut-through.ts';
import { measureInitiate } from './initiate.ts';
import { measureLatency } from './latency.ts';
import { measureMemory } from './memory.ts';
import { measureRefusal } from './refusal.ts';
import { measureScale } from './scale.ts';
import { measureStart } from './start.ts';
import { measureSteady } from './steady.ts';
import { measureThroughput } from './throughput.ts';

/** Everything that can be measured, by the name that `--only` takes, in the order in which it is done. */
export const MEASUREMENTS: Readonly<Record<string, (bench: Bench) => Promise<Finding>>> = {
  throughput: measureThroughput,
  latency: measureLatency,
  'cut-through': measureCutThrough,
  initiate: measureInitiate,
  refusal: measureRefusal,
  start: measureStart,
  scale: measureScale,
  steady: measureSteady,
  connections: measureConnections,
  memory: measureMemory,
};

export { FAULTS, type FaultName, isFaultName } from './faults.ts';
export type { SandboxOptions } from './options.ts';
export type { RecordedRequest } from './records.ts';
export { createSandbox, type Sandbox } from './sandbox.ts';

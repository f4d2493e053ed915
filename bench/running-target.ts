import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/helpers/free-port.ts';
import { type Core, Part } from './processes.ts';
import type { Target } from './targets.ts';

/** A target that runs. */
export interface RunningTarget extends AsyncDisposable {
  readonly target: Target;
  readonly port: number;
  /** Every process that belongs to it; their children do too. */
  readonly pids: readonly number[];
}

/** How a target is started. */
export interface StartOptions {
  readonly core?: Core;
  readonly nodeOptions?: readonly string[];
}

/** Starts `target`, on a core of its own unless told otherwise, and waits until it takes connections. */
export async function startTarget(
  target: Target,
  upstreamPort: number,
  { core = 'target', nodeOptions = [] }: StartOptions = {},
): Promise<RunningTarget> {
  const port = await freePort();
  const launch = target.launch(port, upstreamPort, nodeOptions);
  const part = new Part(core, launch.command, launch.env, false);
  const stop = async (): Promise<void> => {
    await part[Symbol.asyncDispose]();
    launch[Symbol.dispose]?.();
  };
  if (!(await untilAccepting(part, port))) {
    await stop();
    throw new Error(`${target.name} does not listen`);
  }
  return { target, port, pids: [part.pid], [Symbol.asyncDispose]: stop };
}

/** Whether `part` takes connections on `port` within a minute: the machine may be busy. */
export async function untilAccepting(part: Part, port: number): Promise<boolean> {
  const deadline = performance.now() + 60_000;
  while (!(await accepts(port))) {
    if (part.hasEnded || performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

import type { Texts } from './texts/english.ts';

/** What can be made to go wrong, by the key of its words. */
export type FaultKey = keyof Texts['faultOf'];

/** How the choices are grouped, by the key of their words. */
export type FaultGroup = keyof Texts['faultGroups'];

/** The faults of the sandbox that the page offers, by their names in `docs/sandbox.md`. */
export const FAULTS: Readonly<Record<Exclude<FaultKey, 'none'>, { name: string; group: FaultGroup }>> = {
  tooMany: { name: 'once-429', group: 'recovers' },
  expired: { name: 'once-storage-expired', group: 'recovers' },
  unavailable: { name: 'once-status-503', group: 'recovers' },
  storage: { name: 'storage-refuse', group: 'recovers' },
  noInitiate: { name: 'no-initiate', group: 'recovers' },
  rejected: { name: 'status-422', group: 'fails' },
  token: { name: 'bad-token', group: 'fails' },
  cut: { name: 'cut', group: 'fails' },
  html: { name: 'html', group: 'fails' },
  slowBody: { name: 'slow-body', group: 'slow' },
  slowResponse: { name: 'slow-headers', group: 'slow' },
};

let labels = 0;

/**
 * The conversation id that asks the sandbox for a fault. A fault that happens once does so once for each id:
 * every file gets its own label.
 */
export function toFaultConversation(name: string): string {
  labels += 1;
  return `fault-${name}_${Date.now().toString(36)}${labels}`;
}

import type { IdleCommand } from '../messages.ts';
import { assertOk, Caller } from './caller.ts';

const AT_ONCE = 50;
const idlers: Caller[] = [];

/** Opens connections that do nothing after their first request, in place of those that were open. */
export async function keepIdle({ port, path, connections }: IdleCommand): Promise<{ open: number }> {
  for (const idler of idlers.splice(0)) idler[Symbol.dispose]();
  // A connection on which nothing was ever asked is closed early, by us and by others.
  const head = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const open = async (): Promise<void> => {
    const caller = await Caller.connect(port);
    idlers.push(caller);
    assertOk(await caller.exchange(head, Buffer.alloc(0)));
  };
  for (let count = 0; count < connections; count += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, connections - count) }, open));
  }
  return { open: idlers.length };
}

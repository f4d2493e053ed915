import { createAdminApp } from './app.ts';
import type { Config } from './config/config.ts';
import type { AppContext } from './context.ts';
import { addressOf, listen } from './http/listen.ts';
import { createListener } from './http/listener.ts';

/** The admin port. */
export interface AdminServer extends AsyncDisposable {
  /** Where it listens, `http://host:port`. */
  readonly url: string;
}

/** Thrown when the admin port could not be opened; the cause is the listener's error. */
export class AdminListenError extends Error {
  override readonly name = 'AdminListenError';
}

/**
 * Serves metrics and detailed probes on their own address, which the public does not reach.
 *
 * @throws AdminListenError
 */
export async function startAdmin(
  context: AppContext,
  address: NonNullable<Config['admin']>,
): Promise<AdminServer> {
  // Only here, so that a server without metrics does not load their library.
  const { createMetrics } = await import('./observability/metrics.ts');
  const metrics = createMetrics(context);
  context.observers.add(metrics.observer);
  const listener = createListener(createAdminApp(context, metrics), () => {}, context.lingering);
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
    listener.closeAllConnections();
    await closed;
    metrics[Symbol.dispose]();
  };
  try {
    await listen(listener, address);
  } catch (error) {
    await close();
    throw new AdminListenError('the admin port could not be opened', { cause: error });
  }
  return { url: addressOf(listener), [Symbol.asyncDispose]: close };
}

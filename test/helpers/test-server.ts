import assert from 'node:assert/strict';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../sandbox/index.ts';
import { formatProblems, loadConfig } from '../../server/config/config.ts';
import type { Embedding } from '../../server/embedding.ts';
import { createLogger } from '../../server/logger.ts';
import { type RunningServer, startServer } from '../../server/server.ts';
import { LogSink } from './log-sink.ts';
import { settingsFor } from './sandbox-settings.ts';

/** What a test may change about the test server. */
export interface TestServerOptions {
  /** Variables on top of the usual ones. */
  readonly env?: Readonly<Record<string, string>>;
  readonly sandbox?: SandboxOptions;
  /** A sandbox that several test servers have in common; it is the test's to close. */
  readonly upstream?: Sandbox;
  /** With the demo page at `/`. Default false. */
  readonly page?: boolean;
  /** What a program around the server adds. */
  readonly embedding?: Embedding;
}

/** The whole program on a free port with its own sandbox as upstream. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly api: string;
  readonly server: RunningServer;
  readonly sandbox: Sandbox;
  readonly log: LogSink;
  /** A conversation and a contact that work. */
  readonly fields: Readonly<Record<string, string>>;
  /**
   * Asserts what must hold after every case: no rejected upload has a complete request upstream (unless
   * `completeUploads` were accepted), the token is in no log line, and nothing stays behind.
   */
  assertClean(expected?: { readonly completeUploads?: number }): Promise<void>;
}

/** Builds a test server. The sandbox's request limit is lifted, ours too, unless a test sets them. */
export async function createTestServer({
  env = {},
  sandbox: sandboxOptions = {},
  upstream,
  page = false,
  embedding = {},
}: TestServerOptions = {}): Promise<TestServer> {
  const sandbox =
    upstream ??
    (await createSandbox({
      rateLimit: { max: 100_000, intervalMs: 10_000, daily: 1_000_000 },
      slowMs: 300,
      ...sandboxOptions,
    }));
  const loaded = loadConfig({
    ...settingsFor(sandbox),
    RATE_LIMIT_MAX: '100000',
    LOG_LEVEL: 'trace',
    ...env,
  });
  assert(loaded.ok, loaded.ok ? '' : formatProblems(loaded.problems));
  const log = new LogSink();
  const logger = await createLogger({ level: loaded.config.log.level, destination: log });
  const { conversationId, contactId } = sandbox;
  const demo = page ? { conversationId, contactId } : null;
  const server = await startServer({ ...loaded, logger, demo, embedding });

  return {
    url: server.url,
    api: `${server.url}${loaded.config.basePath}`,
    server,
    sandbox,
    log,
    fields: { conversationId, contactId },
    async assertClean({ completeUploads = 0 } = {}) {
      await settled(() => server.context.slots.taken === 0, 'every upload slot is free');
      await settled(() => server.context.activity.requests === 0, 'no request is in flight');
      await sandbox.waitFor((requests) => requests.every((request) => request.complete || request.aborted));
      const complete = sandbox.requests.filter(
        ({ path, complete: isComplete }) => path === '/conversations/messages/upload' && isComplete,
      );
      assert.equal(complete.length, completeUploads, 'complete upload requests that reached Leadway');
      for (const line of log.lines) {
        assert(!line.includes(sandbox.token), 'the token is in a log line');
        assert(!/X-Goog-Signature=[0-9a-f]/.test(line), 'a signature is in a log line');
      }
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      if (upstream === undefined) await sandbox.close();
    },
  };
}

/** Waits until `condition` holds; fails with `what` after `maxMs`. */
export async function settled(condition: () => boolean, what: string, maxMs = 20_000): Promise<void> {
  const deadline = performance.now() + maxMs;
  while (!condition()) {
    assert(performance.now() < deadline, `not so after ${maxMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

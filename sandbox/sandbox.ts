import { createFaultSwitch, type FaultName } from './faults.ts';
import { createFileStore } from './file-store.ts';
import { createLeadwayApi } from './leadway-api.ts';
import { openListener } from './listener.ts';
import { type SandboxOptions, toSettings } from './options.ts';
import { createRateLimiter } from './rate-limit.ts';
import { createRecordBook, type RecordedRequest } from './records.ts';
import { createUrlSigner } from './signed-url.ts';
import type { SandboxState } from './state.ts';
import { createStorage } from './storage.ts';

/** A running stand-in for Leadway and its storage. */
export interface Sandbox extends AsyncDisposable {
  /** The Leadway API's base URL. */
  readonly url: string;
  /** Origin of the storage stand-in: another port, so truly another origin. */
  readonly storageOrigin: string;
  /** The token of {@link Sandbox.locationId} that is valid now. */
  readonly token: string;
  /** The (first) location. */
  readonly locationId: string;
  /** A conversation that works. */
  readonly conversationId: string;
  /** A contact that works. */
  readonly contactId: string;
  /** One per request received by either listener, in order. */
  readonly requests: RecordedRequest[];
  /** The fault for everything; after setting or clearing `refuse`, wait for {@link Sandbox.ready}. */
  fault: FaultName | null;
  /** Replaces a location's token; the old one is invalid at once. */
  setToken(newToken: string, locationId?: string): void;
  /** Waits until the requests are as wanted; checked at every change of a record. Rejects after 20 s. */
  waitFor(predicate: (requests: readonly RecordedRequest[]) => boolean, timeoutMs?: number): Promise<void>;
  /** Resolves when the ports are open or closed as the fault wants them. */
  ready(): Promise<void>;
  /** Back to how it was made: cuts the requests in flight; forgets records, files, budgets, tokens and faults. */
  reset(): void;
  /** Live sockets on both listeners. */
  openSockets(): number;
  /** Ends every connection and frees both ports. */
  close(): Promise<void>;
}

/** Starts the stand-in for Leadway and Google Cloud Storage; hold it with `await using`, or close it. */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const settings = toSettings(options);
  const book = createRecordBook(settings.now);
  const applyRefusal = () => {
    api.setRefusing(faults.current === 'refuse');
    storage.setRefusing(faults.current === 'storage-refuse');
  };
  const faults = createFaultSwitch(settings.fault, applyRefusal);
  const state: SandboxState = {
    settings,
    book,
    faults,
    files: createFileStore(settings.maxStoredBytes),
    limiter: createRateLimiter(settings),
    signer: createUrlSigner(settings.now),
    tokens: new Map(settings.tokens),
    uploads: new Map(),
    storageOrigin: '',
    inFlight: new Set(),
  };
  const storage = await openListener(settings.host, settings.storagePort, createStorage(state), book.changed);
  const api = await openListener(settings.host, settings.port, createLeadwayApi(state), book.changed).catch(
    async (error) => {
      await storage.close();
      throw error;
    },
  );
  const host = toUrlHost(settings.host);
  state.storageOrigin = `http://${host}:${storage.port}`;
  applyRefusal();
  await Promise.all([api.ready(), storage.ready()]);

  const [locationId = ''] = settings.tokens.keys();
  const close = async () => {
    book.close();
    await Promise.all([api.close(), storage.close()]);
    state.files.clear();
  };
  return {
    url: `http://${host}:${api.port}`,
    storageOrigin: state.storageOrigin,
    get token() {
      return state.tokens.get(locationId) ?? '';
    },
    locationId,
    conversationId: 'sandboxConversation01',
    contactId: 'sandboxContact01',
    requests: book.requests,
    get fault() {
      return faults.current;
    },
    set fault(name) {
      faults.current = name;
    },
    setToken(newToken, ofLocation = locationId) {
      if (!state.tokens.has(ofLocation)) throw new TypeError(`No location is called "${ofLocation}"`);
      state.tokens.set(ofLocation, newToken);
    },
    waitFor: book.waitFor,
    async ready() {
      await Promise.all([api.ready(), storage.ready()]);
    },
    reset() {
      for (const socket of state.inFlight) socket.destroy();
      faults.reset();
      state.tokens.clear();
      for (const [id, token] of settings.tokens) state.tokens.set(id, token);
      state.uploads.clear();
      state.files.clear();
      state.limiter.reset();
      book.clear();
    },
    openSockets: () => api.openSockets() + storage.openSockets(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Who listens everywhere is reached on the loopback address. */
function toUrlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

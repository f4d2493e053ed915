import { isIP } from 'node:net';
import { createClient } from '@redis/client';
import type { RedisAddress, RedisNode } from '../config/redis-address.ts';

/** A connection to the one Redis that takes writes, opened again and again for as long as it is held. */
export interface RedisConnection extends Disposable {
  readonly isReady: boolean;
  /** Runs a command; rejects at once while there is no connection. */
  send(command: readonly string[]): Promise<unknown>;
}

/** Told what becomes of a connection. */
export interface ConnectionEvents {
  onReady(): void;
  onError(error: unknown): void;
  /** Whether the connection is of use: a server that takes no writes is not. */
  isUsable(): boolean;
}

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
/** A connection on which nothing has come for so long is given up; a partitioned network closes none by itself. */
const DEAD_AFTER_MS = 10_000;
/** How often the Sentinels are asked. One question costs them next to nothing. */
const SENTINEL_INTERVAL_MS = 500;

/** Connects in the background to the Redis at `address`, or to the one that its Sentinels name. */
export function openRedisConnection(address: RedisAddress, events: ConnectionEvents): RedisConnection {
  return address.masterName === null
    ? connectTo(address, address.nodes[0], events)
    : followMaster(address, address.masterName, events);
}

function clientOptions(address: RedisAddress, { host, port }: RedisNode) {
  const { username, password } = address;
  return {
    // Redis 5 knows no other.
    RESP: 2 as const,
    disableOfflineQueue: true,
    ...(username !== null && { username }),
    ...(password !== null && { password }),
    socket: {
      host,
      port,
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: DEAD_AFTER_MS,
      // Managed services choose the certificate by this name, which node:tls does not send by itself.
      ...(address.hasTls && { tls: true as const, ...(isIP(host) === 0 && { servername: host }) }),
    },
    // Keeps an idle connection from being taken for a dead one.
    pingInterval: DEAD_AFTER_MS / 3,
  };
}

function connectTo(
  address: RedisAddress,
  node: RedisNode,
  { onReady, onError }: ConnectionEvents,
): RedisConnection {
  const options = clientOptions(address, node);
  const client = createClient({
    ...options,
    database: address.database,
    socket: {
      ...options.socket,
      reconnectStrategy: (retries: number) => Math.min(50 * 2 ** retries, MAX_RECONNECT_DELAY_MS),
    },
  });
  client.on('ready', onReady);
  client.on('error', onError);
  // The error event has said what is wrong, and the client goes on trying.
  client.connect().catch(() => {});
  return {
    get isReady() {
      return client.isReady;
    },
    send: (command) => client.sendCommand([...command]),
    [Symbol.dispose]: () => {
      if (client.isOpen) client.destroy();
    },
  };
}

/** Holds a connection to the server that the Sentinels call `name`, and moves it when they name another one. */
function followMaster(address: RedisAddress, name: string, events: ConnectionEvents): RedisConnection {
  let master: { readonly node: RedisNode; readonly connection: RedisConnection } | null = null;
  const sentinels = openSentinels(address, name);
  let isAsking = false;
  let isClosed = false;

  const moveTo = (node: RedisNode): void => {
    master?.connection[Symbol.dispose]();
    const isCurrent = (): boolean => master?.connection === connection && !isClosed;
    const connection = connectTo(address, node, {
      ...events,
      onReady: () => isCurrent() && events.onReady(),
      onError: (error) => isCurrent() && events.onError(error),
    });
    master = { node, connection };
  };
  const ask = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    try {
      // A Sentinel that is cut off may go on naming a server that is one no more.
      if (!events.isUsable()) sentinels.next();
      const { host, port } = await sentinels.ask();
      if (!isClosed && (master?.node.host !== host || master.node.port !== port)) moveTo({ host, port });
    } catch (error) {
      // Without Sentinels, a server that is there stays in use.
      if (!isClosed && master?.connection.isReady !== true) events.onError(error);
    } finally {
      isAsking = false;
    }
  };
  const timer = setInterval(() => void ask(), SENTINEL_INTERVAL_MS);
  timer.unref();
  void ask();
  return {
    get isReady() {
      return master?.connection.isReady === true;
    },
    async send(command) {
      if (master === null) throw new Error('no Sentinel has named a server yet');
      return master.connection.send(command);
    },
    [Symbol.dispose]() {
      isClosed = true;
      clearInterval(timer);
      sentinels[Symbol.dispose]();
      master?.connection[Symbol.dispose]();
    },
  };
}

interface Sentinels extends Disposable {
  /** Where the server is, as the first Sentinel says that can be reached. */
  ask(): Promise<RedisNode>;
  /** Asks another Sentinel from now on. */
  next(): void;
}

function openSentinels(address: RedisAddress, name: string): Sentinels {
  const { nodes } = address;
  let first = 0;
  let client: SentinelClient | null = null;
  const leave = (): void => {
    if (client?.isOpen) client.destroy();
    client = null;
  };
  return {
    async ask() {
      let problem: unknown;
      for (let turn = 0; turn < nodes.length; turn += 1) {
        const node = nodes[first % nodes.length] as RedisNode;
        try {
          client ??= await connectToSentinel(address, node);
          const reply = await client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]);
          if (Array.isArray(reply)) return { host: String(reply[0]), port: Number(reply[1]) };
          throw new Error(`the Sentinel at ${node.host}:${node.port} knows no server called ${name}`);
        } catch (error) {
          problem = error;
          leave();
          first += 1;
        }
      }
      throw problem;
    },
    next() {
      if (nodes.length === 1) return;
      leave();
      first += 1;
    },
    [Symbol.dispose]: leave,
  };
}

type SentinelClient = Awaited<ReturnType<typeof connectToSentinel>>;

/** Sentinels that ask for a password get that of the server, which is how most are set up. */
async function connectToSentinel(address: RedisAddress, node: RedisNode) {
  const open = async (credentials: Pick<RedisAddress, 'username' | 'password'>) => {
    const options = clientOptions({ ...address, ...credentials }, node);
    const client = createClient({
      ...options,
      socket: { ...options.socket, reconnectStrategy: false as const },
    });
    // The promise says the same.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.sendCommand(['PING']);
      return client;
    } catch (error) {
      if (client.isOpen) client.destroy();
      throw error;
    }
  };
  try {
    return await open({ username: null, password: null });
  } catch (error) {
    if (address.password === null || !String(error).includes('NOAUTH')) throw error;
    return open(address);
  }
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import {
  ConnectTimeoutError,
  createUpstreamAgent,
  limitConnectTime,
  toTarget,
} from '../../../server/leadway/upstream-agent.ts';

/** A request whose connection never comes about: nobody ever answers where the host is. */
function unreachable(agent: http.Agent): http.ClientRequest {
  return http.request({ host: 'nowhere.test', port: 80, agent, lookup: () => {} });
}

describe('limitConnectTime', () => {
  for (const isGiven of [false, true]) {
    it(`ends a request that gets no connection, ${isGiven ? 'after' : 'before'} it was given a socket`, async () => {
      using agent = Object.assign(new http.Agent(), { [Symbol.dispose]: () => agent.destroy() });
      const request = unreachable(agent);
      if (isGiven) await once(request, 'socket');
      limitConnectTime(request, 20);
      const [error] = (await once(request, 'error')) as [Error];
      assert(error instanceof ConnectTimeoutError, String(error));
    });
  }

  it('lets a request be that got its connection, however late the response', async () => {
    await using server = await listening((_req, res) => res.end('late'));
    using agent = Object.assign(new http.Agent(), { [Symbol.dispose]: () => agent.destroy() });
    const arrived = once(server, 'request');
    const request = http.request({ port: server.port, agent }).end();
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      limitConnectTime(request);
      await arrived;
      mock.timers.tick(600_000);
    } finally {
      mock.timers.reset();
    }
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    assert.equal(response.statusCode, 200);
    await once(response.resume(), 'close');
  });

  it('sets no limit for a connection that is there already', async () => {
    await using server = await listening((_req, res) => res.end());
    using agent = createUpstreamAgent();
    const target = toTarget(new URL(`http://127.0.0.1:${server.port}/`));
    const first = agent.request(target, {}).end();
    const [response] = (await once(first, 'response')) as [http.IncomingMessage];
    await once(response.resume(), 'close');
    const second = agent.request(target, {});
    await once(second, 'socket');
    assert.equal(second.reusedSocket, true);
    const { socket } = second;
    assert.deepEqual(socket?.listeners('connect').length, 0);
    second.on('error', () => {}).destroy();
  });

  it('ends after five seconds where nothing else is said', async () => {
    using agent = Object.assign(new http.Agent(), { [Symbol.dispose]: () => agent.destroy() });
    const request = unreachable(agent);
    await once(request, 'socket');
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      limitConnectTime(request);
      mock.timers.tick(4_999);
      assert.equal(request.destroyed, false);
      mock.timers.tick(1);
      assert.equal(request.destroyed, true);
    } finally {
      mock.timers.reset();
    }
    await once(request, 'error');
  });
});

describe('the connections to Leadway', () => {
  it('are used again, the one that was used last first', async () => {
    const sockets: unknown[] = [];
    await using server = await listening((req, res) => {
      sockets.push(req.socket);
      res.end();
    });
    using agent = createUpstreamAgent();
    const target = toTarget(new URL(`http://127.0.0.1:${server.port}/`));
    const send = async () => {
      const [response] = (await once(agent.request(target, {}).end(), 'response')) as [http.IncomingMessage];
      await once(response.resume(), 'close');
    };
    await send();
    await send();
    assert.equal(sockets[0], sockets[1]);
    const fresh = agent.request(target, {}, 'fresh').end();
    const [response] = (await once(fresh, 'response')) as [http.IncomingMessage];
    await once(response.resume(), 'close');
    assert.notEqual(sockets[2], sockets[1]);
  });

  it('are of one pool for each scheme', () => {
    using agent = createUpstreamAgent();
    const plain = agent.poolFor(new URL('http://127.0.0.1/'));
    assert.equal(agent.poolFor(new URL('http://leadway.test/')), plain);
    assert.notEqual(agent.poolFor(new URL('https://127.0.0.1/')), plain);
    const { options } = plain as unknown as { readonly options: http.AgentOptions };
    const { keepAlive, timeout } = options;
    assert.deepEqual({ keepAlive, timeout }, { keepAlive: true, timeout: 4_000 });
  });

  it('go to the host, port and path of a URL, with its credentials', () => {
    assert.deepEqual(toTarget(new URL('https://u:p@leadway.test:8443/a?b=c')), {
      protocol: 'https:',
      hostname: 'leadway.test',
      port: 8443,
      path: '/a?b=c',
      auth: 'u:p',
    });
    const { port, auth } = toTarget(new URL('http://leadway.test/'));
    assert.deepEqual([port, auth], [undefined, undefined]);
  });
});

async function listening(listener: http.RequestListener) {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(server, {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  });
}

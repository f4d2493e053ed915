import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import {
  ConnectTimeoutError,
  createUpstreamAgent,
  isConnected,
  toTarget,
  type UpstreamAgent,
} from '../../../server/leadway/agent.ts';

/** A request whose connection never comes about: the name of its host is never found, nor not found. */
const openNowhere = (agent: UpstreamAgent): http.ClientRequest =>
  agent.request({ hostname: 'nowhere.test' }, { lookup: () => {} });

describe('a connection to Leadway that does not come about', () => {
  it('ends its request after five seconds, and is reported', async () => {
    const reports: string[] = [];
    using agent = createUpstreamAgent({
      onUnreachable: (host, error) => reports.push(`${host} ${error.name}`),
      onConnected: (host) => reports.push(`${host} connected`),
    });
    mock.timers.enable({ apis: ['setTimeout'] });
    let request: http.ClientRequest;
    try {
      request = openNowhere(agent);
      await once(request, 'socket');
      mock.timers.tick(4_999);
      assert.equal(request.socket?.destroyed, false);
      mock.timers.tick(1);
    } finally {
      mock.timers.reset();
    }
    const [error] = (await once(request, 'error')) as [Error];
    assert(error instanceof ConnectTimeoutError, String(error));
    assert.equal(isConnected(request), false);
    assert.deepEqual(reports, ['nowhere.test ConnectTimeoutError']);
  });

  it('is not reported when it was we who gave up', async () => {
    const reports: string[] = [];
    using agent = createUpstreamAgent({ onUnreachable: (host) => reports.push(host) });
    const request = openNowhere(agent);
    await once(request, 'socket');
    request.destroy();
    await once(request, 'error');
    assert.deepEqual(reports, []);
  });

  it('has no limit any more once it has, however late the response', async () => {
    const reports: string[] = [];
    await using server = await listening((_req, res) => res.end('late'));
    using agent = createUpstreamAgent({ onConnected: (host) => reports.push(host) });
    const arrived = once(server, 'request');
    mock.timers.enable({ apis: ['setTimeout'] });
    let request: http.ClientRequest;
    try {
      request = agent.request(toTarget(new URL(`http://127.0.0.1:${server.port}/`)), {}).end();
      await arrived;
      mock.timers.tick(600_000);
    } finally {
      mock.timers.reset();
    }
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    assert.equal(response.statusCode, 200);
    await once(response.resume(), 'close');
    assert.equal(isConnected(request), true);
    assert.deepEqual(reports, [`127.0.0.1:${server.port}`]);
  });

  it('has as long for each of its addresses as a lost packet needs to be sent again', () => {
    using agent = createUpstreamAgent();
    for (const url of ['http://leadway.test/', 'https://leadway.test/']) {
      const { options } = agent.poolFor(new URL(url)) as unknown as {
        readonly options: { readonly autoSelectFamilyAttemptTimeout: number };
      };
      assert.equal(options.autoSelectFamilyAttemptTimeout, 1_500);
    }
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

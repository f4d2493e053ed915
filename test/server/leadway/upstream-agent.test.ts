import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { ConnectTimeoutError, limitConnectTime } from '../../../server/leadway/upstream-agent.ts';

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
});

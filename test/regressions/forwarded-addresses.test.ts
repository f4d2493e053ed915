import assert from 'node:assert/strict';
import { call, PROBE } from '../helpers/call.ts';
import { createTestServer } from '../helpers/test-server.ts';

const MAX = 3;

/** The statuses of calls that claim one address after the other, behind a proxy that is trusted. */
async function statusesFor(addresses: readonly string[]): Promise<(number | undefined)[]> {
  await using testServer = await createTestServer({ env: { RATE_LIMIT_MAX: String(MAX), TRUST_PROXY: '1' } });
  const statuses: (number | undefined)[] = [];
  for (const address of addresses) {
    const { status } = await call(testServer, { ...PROBE, headers: { 'X-Forwarded-For': address } });
    statuses.push(status);
  }
  return statuses;
}

const numbered = (make: (index: number) => string): string[] =>
  Array.from({ length: MAX + 1 }, (_, i) => make(i));

describe('a client that is known by address', () => {
  const spellings: readonly (readonly [string, readonly string[]])[] = [
    ['a port, which some proxies add and each connection changes', numbered((i) => `192.0.2.7:${4000 + i}`)],
    ['an IPv6 address in brackets with a port', numbered((i) => `[2001:db8::7]:${4000 + i}`)],
    ['words that are not an address', numbered((i) => `_hidden${i}`)],
    ['numbers that are not an address', ['01.2.3.4', '0x1.2.3.4', '1.2.3', '1.2.3.4.5']],
    ['an IPv4 address mapped into IPv6', ['192.0.2.7', '::ffff:192.0.2.7', '::FFFF:c000:207', '192.0.2.7']],
    ['other addresses of one IPv6 /56', numbered((i) => `2001:db8:0:7${i}::1`)],
    ['another zone of a link-local address', numbered((i) => `fe80::1%eth${i}`)],
    ['addresses put before the one that the proxy saw', numbered((i) => `198.51.100.${i}, 192.0.2.7`)],
  ];
  for (const [what, addresses] of spellings) {
    it(`becomes no other one by ${what}`, async () => {
      const statuses = await statusesFor(addresses);
      assert.deepEqual(statuses, [403, 403, 403, 429]);
    });
  }

  it('is another one at another address', async () => {
    assert(!(await statusesFor(numbered((i) => `192.0.2.${i}`))).includes(429));
  });
});

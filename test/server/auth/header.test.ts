import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { createHeaderAuthenticator } from '../../../server/auth/header.ts';

/** A request with these headers; two names that differ in case are one header that came twice. */
const requestOf = (headers: Readonly<Record<string, string>>, isFromTrustedProxy = true) => ({
  incoming: new IncomingMessage(new Socket()),
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  headersDistinct: Object.fromEntries(
    [...Map.groupBy(Object.entries(headers), ([name]) => name.toLowerCase())].map(([name, came]) => [
      name,
      came.map(([, value]) => value),
    ]),
  ),
  addressKey: '192.0.2.1',
  isFromTrustedProxy,
});

describe('AUTH=header', () => {
  const all = createHeaderAuthenticator({ userHeader: 'X-User', locationsHeader: null });
  const some = createHeaderAuthenticator({ userHeader: 'X-User', locationsHeader: 'X-Locations' });

  it('gives all locations where no header lists them, and those that are listed where one does', async () => {
    const headers = { 'X-User': 'ann', 'X-Locations': ' l1, l2 ,,l3,' };
    assert.equal((await all.authenticate(requestOf(headers))).locations, null);
    assert.deepEqual(
      [...((await some.authenticate(requestOf(headers))).locations ?? [])],
      ['l1', 'l2', 'l3'],
    );
  });

  it('gives no location where the list is missing, empty or there twice', async () => {
    for (const headers of [
      { 'X-User': 'ann' },
      { 'X-User': 'ann', 'X-Locations': '' },
      { 'X-User': 'ann', 'X-Locations': ' , ' },
      { 'X-User': 'ann', 'X-Locations': 'l1', 'x-locations': 'l2' },
    ]) {
      assert.deepEqual((await some.authenticate(requestOf(headers))).locations, new Set());
    }
  });

  it('believes a trusted proxy alone', async () => {
    const { id, isByCookie } = await all.authenticate(requestOf({ 'X-User': 'ann' }));
    assert.deepEqual([id, isByCookie], ['user:ann', false]);
    await assert.rejects(all.authenticate(requestOf({ 'X-User': 'ann' }, false)), {
      code: 'UNAUTHENTICATED',
    });
    assert.equal((await all.authenticate(requestOf({ 'X-User': 'ann', Cookie: 'a=1' }))).isByCookie, true);
  });

  it('takes names of 1 to 256 characters of any script, and none with spaces at its ends', async () => {
    const latin1 = (name: string) => Buffer.from(name).toString('latin1');
    for (const name of ['a', 'ñandú', '日本', 'a b', 'x'.repeat(256)]) {
      assert.equal((await all.authenticate(requestOf({ 'X-User': latin1(name) }))).id, `user:${name}`);
    }
    for (const name of ['', ' ', ' a', 'a ', 'a\u0000', 'a\u200bb', 'x'.repeat(257)]) {
      await assert.rejects(all.authenticate(requestOf({ 'X-User': latin1(name) })), {
        code: 'UNAUTHENTICATED',
      });
    }
    await assert.rejects(all.authenticate(requestOf({ 'X-User': '\u00ff' })), { code: 'UNAUTHENTICATED' });
  });
});

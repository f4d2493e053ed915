import assert from 'node:assert/strict';
import { Secret } from '../../../server/config/secrets.ts';
import { createProxyFor } from '../../../server/http/outbound-proxy.ts';
import { toTarget } from '../../../server/leadway/agent.ts';
import { accept } from '../config/helpers.ts';

const PROXIES = {
  httpsProxy: new Secret('http://user:password@secure.test:3128/'),
  httpProxy: new Secret('http://plain.test:8080/'),
};

describe('the proxy of an outbound call', () => {
  const shownFor = (url: string, noProxy: readonly string[] = []) =>
    createProxyFor(PROXIES, noProxy)(new URL(url))?.shown ?? null;

  it('is chosen by the scheme of the address, and shown without user and password', () => {
    assert.equal(shownFor('https://leadway.test'), 'http://secure.test:3128');
    assert.equal(shownFor('http://leadway.test'), 'http://plain.test:8080');
    const none = createProxyFor({ httpsProxy: null, httpProxy: null }, []);
    assert.equal(none(new URL('https://leadway.test')), null);
    const secureOnly = createProxyFor({ ...PROXIES, httpProxy: null }, []);
    assert.equal(secureOnly(new URL('http://leadway.test')), null);
  });

  it('is none for what stays on this machine', () => {
    for (const host of [
      'localhost',
      'LOCALHOST',
      'app.localhost',
      'localhost.',
      '127.0.0.1',
      '127.1.2.3',
      '[::1]',
      '[::ffff:127.0.0.1]',
    ]) {
      assert.equal(shownFor(`https://${host}:8443/`), null, host);
      assert.equal(createProxyFor(PROXIES, [])(toTarget(new URL(`http://${host}/`))), null, host);
    }
    for (const host of ['localhost.example.com', 'notlocalhost', '128.0.0.1', '[::2]']) {
      assert.notEqual(shownFor(`https://${host}/`), null, host);
    }
  });

  const exemptions: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      'example.com',
      ['example.com', 'a.example.com', 'EXAMPLE.com:8443'],
      ['notexample.com', 'example.com.evil.test'],
    ],
    ['.example.com', ['example.com', 'a.b.example.com'], ['badexample.com']],
    ['*.example.com', ['a.example.com'], ['example.org']],
    ['example.com:8443', ['example.com:8443', 'a.example.com:8443'], ['example.com']],
    ['example.com:443', ['example.com'], ['example.com:8443']],
    ['10.0.0.0/8', ['10.1.2.3', '10.255.0.1:8443'], ['11.0.0.1']],
    ['192.0.2.7', ['192.0.2.7'], ['192.0.2.8']],
    ['[2001:db8::1]', ['[2001:db8::1]'], ['[2001:db8::2]']],
    ['2001:db8::/32', ['[2001:db8:1::1]'], ['[2001:db9::1]']],
    ['*', ['anything.test', '192.0.2.1'], []],
    ['10.0.0.0/99', [], ['10.0.0.1']],
  ];
  for (const [entry, exempt, others] of exemptions) {
    it(`is none for what NO_PROXY=${entry} names`, () => {
      for (const host of exempt) assert.equal(shownFor(`https://${host}/`, [entry]), null, host);
      for (const host of others) assert.notEqual(shownFor(`https://${host}/`, [entry]), null, host);
    });
  }
});

describe('the proxies of the environment', () => {
  it('may be written in small letters, which win', () => {
    const { config, secrets } = accept({
      HTTPS_PROXY: 'http://large.test:1',
      https_proxy: 'small.test:2',
      http_proxy: 'http://plain.test:3',
      no_proxy: 'a.test',
      NO_PROXY: 'b.test',
    });
    assert.equal(secrets.httpsProxy?.reveal(), 'http://small.test:2/');
    assert.equal(secrets.httpProxy?.reveal(), 'http://plain.test:3/');
    assert.deepEqual(config.outbound.noProxy, ['a.test']);
  });

  it('come without a warning of names that only other programs read', () => {
    const { warnings } = accept({ FTP_PROXY: 'x', ftp_proxy: 'x', ALL_PROXY: 'x', all_proxy: 'x' });
    assert.deepEqual(warnings, []);
  });
});

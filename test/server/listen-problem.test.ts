import assert from 'node:assert/strict';
import { explainListenError } from '../../server/http/listen.ts';

const LISTEN = { host: '10.0.0.5', port: 80 };

describe('explainListenError', () => {
  const sentences: readonly (readonly [string, RegExp])[] = [
    ['EADDRINUSE', /^PORT: 10\.0\.0\.5:80 is in use\. .*PORT=/],
    ['EACCES', /^PORT: 10\.0\.0\.5:80 needs more rights\. .*PORT=/],
    ['EADDRNOTAVAIL', /^HOST: 10\.0\.0\.5 is not an address of this machine\. .*HOST=/],
    ['EAFNOSUPPORT', /^HOST: this machine has no IPv6.* Choose another/],
    ['ENOTFOUND', /^HOST: 10\.0\.0\.5 is not a known name\. .*HOST=/],
  ];
  for (const [code, sentence] of sentences) {
    it(`says what to change for ${code}`, () => {
      const error = Object.assign(new Error('listen'), { code });
      assert.match(explainListenError(error, LISTEN) ?? '', sentence);
    });
  }

  it('puts brackets around an IPv6 address', () => {
    const error = Object.assign(new Error('listen'), { code: 'EADDRINUSE' });
    assert.match(explainListenError(error, { host: '::1', port: 80 }) ?? '', /^PORT: \[::1\]:80 is in use/);
  });

  for (const [code, sentence] of [
    ['EACCES', /^LISTEN: \/run\/bff\.sock can’t be made: its folder must exist/],
    ['EROFS', /^LISTEN: \/run\/bff\.sock can’t be made/],
  ] as const) {
    it(`says what to change for ${code} on a unix socket`, () => {
      const error = Object.assign(new Error('listen'), { code });
      assert.match(explainListenError(error, { ...LISTEN, path: '/run/bff.sock' }) ?? '', sentence);
    });
  }

  it('returns null for unexpected errors, so that their stack is shown', () => {
    assert.equal(explainListenError(new TypeError('a mistake'), LISTEN), null);
  });
});

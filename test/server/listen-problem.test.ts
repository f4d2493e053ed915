import assert from 'node:assert/strict';
import { explainListenError } from '../../server/listen-problem.ts';

const LISTEN = { host: '10.0.0.5', port: 80 };

describe('explainListenError', () => {
  const sentences: readonly (readonly [string, RegExp])[] = [
    ['EADDRINUSE', /^PORT: 10\.0\.0\.5:80 is in use\. .*PORT=/],
    ['EACCES', /^PORT: 10\.0\.0\.5:80 needs more rights\. .*PORT=/],
    ['EADDRNOTAVAIL', /^HOST: 10\.0\.0\.5 is not an address of this machine\. .*HOST=/],
    ['ENOTFOUND', /^HOST: 10\.0\.0\.5 is not a known name\. .*HOST=/],
  ];
  for (const [code, sentence] of sentences) {
    it(`says what to change for ${code}`, () => {
      const error = Object.assign(new Error('listen'), { code });
      assert.match(explainListenError(error, LISTEN) ?? '', sentence);
    });
  }

  it('leaves what nobody expected to whoever reads the stack', () => {
    assert.equal(explainListenError(new TypeError('a mistake'), LISTEN), null);
  });
});

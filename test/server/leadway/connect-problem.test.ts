import assert from 'node:assert/strict';
import { ConnectTimeoutError } from '../../../server/leadway/agent.ts';
import { explainConnectProblem } from '../../../server/leadway/reachability.ts';

const HOST = 'leadway.example.com';

describe('the sentence about a connection that does not come about', () => {
  const coded = (code: string): Error => Object.assign(new Error('x'), { code });
  const explain = (
    error: unknown,
    setting: string | null = 'LEADWAY_BASE_URL',
    proxy: string | null = null,
  ): string => explainConnectProblem(error, { host: HOST, setting, proxy });

  const cases: readonly (readonly [string, RegExp])[] = [
    ['ENOTFOUND', /no such host name.*LEADWAY_BASE_URL.*DNS/],
    ['EAI_AGAIN', /could not be looked up.*DNS server/],
    ['ECONNREFUSED', /refuses the connection.*LEADWAY_BASE_URL/],
    ['EHOSTUNREACH', /no way to it.*HTTPS_PROXY/],
    ['ETIMEDOUT', /in time.*firewall/],
    ['EMFILE', /file descriptors.*ulimit/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /self-signed.*NODE_EXTRA_CA_CERTS/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /self-signed.*NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /does not know.*NODE_EXTRA_CA_CERTS/],
    ['CERT_HAS_EXPIRED', /has expired.*clock/],
    ['CERT_NOT_YET_VALID', /not valid yet.*clock/],
    ['CERT_REVOKED', /not valid \(CERT_REVOKED\)/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /for another host.*LEADWAY_BASE_URL/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /TLS handshake failed.*speaks TLS/],
    ['ECONNRESET', /TLS handshake failed/],
    ['EWHATEVER', /EWHATEVER/],
  ];
  for (const [code, pattern] of cases) {
    it(`names host, cause and fix of ${code}`, () => {
      const sentence = explain(coded(code));
      assert(sentence.startsWith(`${HOST} can’t be reached: `), sentence);
      assert.match(sentence, pattern);
      assert.match(sentence, /\.$/);
    });
  }

  it('names the time that it waited', () => {
    assert.match(explain(new ConnectTimeoutError('no connection within 5 s')), /within 5 s\. .*firewall/);
  });

  it('names no setting where the host comes from elsewhere', () => {
    for (const [code] of cases) assert.doesNotMatch(explain(coded(code), null), /LEADWAY|null/);
  });

  it('is about the proxy where that is at fault, and only there', () => {
    const proxy = 'http://proxy.example.com:3128';
    const rejected = (statusCode?: number) =>
      explain(Object.assign(coded('ERR_PROXY_TUNNEL'), { statusCode }), 'LEADWAY_BASE_URL', proxy);
    assert.match(
      rejected(407),
      /does not let it through \(status 407\).*HTTPS_PROXY=http:\/\/user:password@/,
    );
    assert.match(rejected(403), /does not let it through \(status 403\).*NO_PROXY/);
    assert.match(rejected(), /does not let it through\. .*NO_PROXY/);
    for (const code of ['ENOTFOUND', 'ECONNREFUSED', 'EHOSTUNREACH']) {
      assert.match(
        explain(coded(code), 'LEADWAY_BASE_URL', proxy),
        /behind the proxy http.*Check HTTPS_PROXY/,
      );
    }
    for (const code of ['CERT_HAS_EXPIRED', 'SELF_SIGNED_CERT_IN_CHAIN', 'ERR_TLS_CERT_ALTNAME_INVALID']) {
      assert.equal(explain(coded(code), 'LEADWAY_BASE_URL', proxy), explain(coded(code)), code);
    }
  });

  it('is a sentence whatever was thrown', () => {
    for (const thrown of [null, undefined, 'text', {}]) assert.match(explain(thrown), /unknown reason/);
  });
});

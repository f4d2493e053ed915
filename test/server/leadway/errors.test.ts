import assert from 'node:assert/strict';
import {
  isTooLarge,
  parseRejection,
  toAuthProblem,
  toClientError,
  toConnectionFault,
} from '../../../server/leadway/errors.ts';

describe('parseRefusal', () => {
  const read = (body: unknown, retryAfter?: string) =>
    parseRejection(400, JSON.stringify(body), retryAfter === undefined ? {} : { 'retry-after': retryAfter });

  it('reads every shape of Leadway’s errors', () => {
    assert.equal(read({ status: 413, message: 'too large' }).message, 'too large');
    assert.equal(read({ statusCode: 400, message: ['a', 'b', 3], error: 'Bad Request' }).message, 'a; b');
    assert.equal(read({ error: { code: 'x', message: 'nested', details: {} } }).message, 'nested');
    const details = [{ field: 'a', message: 'a must be a string' }, 'b must be a string', 3, {}];
    assert.equal(
      read({ error: { code: 'x', message: 'Validation failed', details } }).message,
      'Validation failed; a must be a string; b must be a string',
    );
    assert.equal(read({ error: { code: 'INSUFFICIENT_SCOPE' } }).message, 'INSUFFICIENT_SCOPE');
    assert.equal(read({ error: { traceId: 'abc' } }).traceId, 'abc');
    for (const body of [null, [], 'text', 5, {}, { message: { a: 1 } }, { error: 'x' }]) {
      assert.equal(read(body).message, '');
    }
    assert.equal(parseRejection(502, '<html>', {}).message, '');
  });

  it('tells a rejection for the size from a proxy’s', () => {
    const isOfLeadway = (status: number, body: string, type = 'application/json') =>
      isTooLarge(parseRejection(status, body, { 'content-type': type }));
    assert(isOfLeadway(413, '{"status":413,"message":"File size exceeds the limit"}'));
    assert(isOfLeadway(413, '{"error":{"code":"PAYLOAD_TOO_LARGE","message":"too large"}}'));
    assert(!isOfLeadway(413, '<html>413 Request Entity Too Large</html>', 'text/html'));
    assert(!isOfLeadway(413, 'too large', 'text/plain'));
    assert(!isOfLeadway(413, ''));
    assert(!isOfLeadway(400, '{"message":"File size exceeds the limit"}'));
  });

  it('reads the trace id where it is one', () => {
    assert.equal(read({ traceId: 'abc' }).traceId, 'abc');
    assert.equal(read({ traceId: 'x'.repeat(500) }).traceId, null);
    assert.equal(read({ traceId: 5 }).traceId, null);
  });

  it('reads Retry-After in seconds or as a date', () => {
    assert.equal(read({}, '7').retryAfterMs, 7_000);
    assert.equal(read({}, '0').retryAfterMs, 0);
    assert.equal(read({}, undefined).retryAfterMs, null);
    assert.equal(read({}, 'soon').retryAfterMs, null);
    assert.equal(read({}, '').retryAfterMs, null);
    assert.equal(read({}, 'Thu, 01 Jan 1970 00:00:00 GMT').retryAfterMs, 0);
    const ms = read({}, new Date(Date.now() + 60_000).toUTCString()).retryAfterMs ?? 0;
    assert(ms > 50_000 && ms <= 60_000, `${ms}`);
  });

  it('reads Retry-After with decimals and not as a date of the future', () => {
    assert.equal(read({}, '45.3').retryAfterMs, 45_300);
    assert.equal(read({}, '20.0').retryAfterMs, 20_000);
    assert.equal(read({}, ' 2.5 ').retryAfterMs, 2_500);
    assert.equal(read({}, '0.0004').retryAfterMs, 1);
  });

  it('takes a Retry-After that means nothing as none, and waits a day at most', () => {
    for (const text of [
      '-5',
      '1e3',
      '0x10',
      '10s',
      '2,5',
      'Infinity',
      '999999999',
      '2045-01',
      'Mon, nonsense',
    ]) {
      assert.equal(read({}, text).retryAfterMs, null, text);
    }
    const nextYear = new Date(Date.now() + 300 * 86_400_000).toUTCString();
    for (const text of ['86401', '604800', nextYear]) {
      assert.equal(read({}, text).retryAfterMs, 86_400_000, text);
    }
    assert.equal(read({}, new Date(Date.now() + 20 * 365 * 86_400_000).toUTCString()).retryAfterMs, null);
  });

  it('recognises a web page by its type or its first character', () => {
    const isPage = (body: string, type?: string) =>
      parseRejection(403, body, type === undefined ? {} : { 'content-type': type }).isWebPage;
    assert(isPage('Attention Required!', 'text/html; charset=UTF-8'));
    assert(isPage('\n<!doctype html><title>403</title>'));
    assert(isPage('<?xml version="1.0"?><Error/>', 'text/plain'));
    assert(!isPage('{"message":"<b>"}', 'application/json'));
    assert(!isPage(''));
  });
});

describe('toAuthProblem', () => {
  it('tells the three meanings of a 401 apart', () => {
    const cases = {
      'Invalid JWT': 'bad-token',
      '': 'bad-token',
      'The token is not authorized for this scope.': 'missing-scope',
      'This AuthClass is not yet supported': 'token-kind',
    } as const;
    for (const [message, problem] of Object.entries(cases)) {
      assert.equal(
        toAuthProblem({ status: 401, message, traceId: null, retryAfterMs: null, isWebPage: false }),
        problem,
      );
    }
  });
});

describe('toCallerError', () => {
  const tell = (status: number, message = 'words', retryAfterMs: number | null = null) =>
    toClientError({ status, message, traceId: 'trace', retryAfterMs, isWebPage: false }, ['secret-token']);

  it('passes on what is the client’s fault, with its status and cleaned words', () => {
    for (const status of [400, 404, 409, 413, 415, 422, 423]) {
      const error = tell(status, 'bad secret-token');
      assert.equal(error.code, 'UPSTREAM_REJECTED');
      assert.equal(error.status, status);
      assert.equal(error.retryable, false);
      assert.equal(error.messageIn('es'), 'bad [removed]');
      assert.equal(error.options.upstreamTraceId, 'trace');
    }
  });

  it('has its own words where Leadway has none', () => {
    assert.equal(tell(400, '').messageIn('es'), 'Leadway rechazó la solicitud.');
  });

  it('never shows a rejection of the BFF’s token, nor what Leadway said to it', () => {
    for (const status of [401, 403]) {
      const error = tell(status, 'The token secret-token has no access');
      assert.equal(error.code, 'UPSTREAM_AUTH');
      assert.equal(error.status, 502);
      assert.equal(error.options.upstreamMessage, undefined);
    }
  });

  it('gives a 429 a time to wait', () => {
    assert.equal(tell(429, '', 3_000).options.retryAfterMs, 3_000);
    assert.equal(tell(429).options.retryAfterMs, 10_000);
    assert.equal(tell(429).retryable, true);
  });

  it('never sends a client back at once', () => {
    assert.equal(tell(429, '', 0).options.retryAfterMs, 1_000);
    assert.equal(tell(503, '', 0).options.retryAfterMs, 1_000);
    assert.equal(tell(503, '', 60_000).options.retryAfterMs, 60_000);
    assert.equal(tell(503).options.retryAfterMs, undefined);
  });

  it('tells a client whose upload has no length how to give it one', () => {
    const error = tell(411, 'Length Required');
    assert.equal(`${error.status} ${error.code} ${error.retryable}`, '411 UPSTREAM_REJECTED false');
    assert.match(error.messageIn('en'), /send the field "fileSize" before the file/);
    assert.match(error.messageIn('es'), /envía el campo "fileSize" antes del archivo/);
    const passed = toClientError(
      { status: 411, message: 'no', traceId: null, retryAfterMs: null, isWebPage: false },
      [],
      'POST /things',
    );
    assert.equal(`${passed.status} ${passed.messageIn('en')}`, '411 no');
  });

  it('makes 404 of the 500 that means an unknown conversation', () => {
    const error = tell(500, 'Conversation with id abc not found');
    assert.equal(error.status, 404);
    assert.equal(error.retryable, false);
    assert.equal(tell(500, 'Contact with id abc not found').status, 502);
    assert.equal(tell(503, 'Conversation with id abc not found').status, 502);
  });

  it('makes 502 of all the rest', () => {
    for (const status of [301, 304, 402, 405, 410, 418, 451, 500, 502, 503, 504]) {
      assert.equal(tell(status).code, 'UPSTREAM_ERROR');
      assert.equal(tell(status).retryable, status < 400 || status >= 500, `${status}`);
      assert.equal(tell(status).options.upstreamMessage, undefined);
      assert.equal(/try again/.test(tell(status).messageIn('en')), tell(status).retryable, `${status}`);
    }
  });
});

describe('toConnectionFault', () => {
  it('tells a connection that broke from one that never was', () => {
    const coded = (code: string) => Object.assign(new Error('x'), { code });
    assert.equal(toConnectionFault(coded('ECONNRESET'), true).code, 'UPSTREAM_ABORTED');
    assert.equal(toConnectionFault(coded('EPIPE'), true).code, 'UPSTREAM_ABORTED');
    assert.equal(toConnectionFault(null, true).code, 'UPSTREAM_ERROR');
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'ERR_TLS_CERT_ALTNAME_INVALID']) {
      assert.equal(toConnectionFault(coded(code), false).code, 'UPSTREAM_UNREACHABLE', code);
    }
  });
});

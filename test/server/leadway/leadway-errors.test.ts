import assert from 'node:assert/strict';
import {
  parseRefusal,
  toAuthProblem,
  toCallerError,
  toConnectionFault,
} from '../../../server/leadway/leadway-errors.ts';
import { ConnectTimeoutError } from '../../../server/leadway/upstream-agent.ts';

describe('parseRefusal', () => {
  const read = (body: unknown, retryAfter?: string) => parseRefusal(400, JSON.stringify(body), retryAfter);

  it('reads every shape of Leadway’s errors', () => {
    assert.equal(read({ status: 413, message: 'too large' }).message, 'too large');
    assert.equal(read({ statusCode: 400, message: ['a', 'b', 3], error: 'Bad Request' }).message, 'a; b');
    assert.equal(read({ error: { code: 'x', message: 'nested', details: {} } }).message, 'nested');
    for (const body of [null, [], 'text', 5, {}, { message: { a: 1 } }, { error: 'x' }]) {
      assert.equal(read(body).message, '');
    }
    assert.equal(parseRefusal(502, '<html>', undefined).message, '');
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
      assert.equal(toAuthProblem({ status: 401, message, traceId: null, retryAfterMs: null }), problem);
    }
  });
});

describe('toCallerError', () => {
  const tell = (status: number, message = 'words', retryAfterMs: number | null = null) =>
    toCallerError({ status, message, traceId: 'trace', retryAfterMs }, ['secret-token']);

  it('passes on what is the caller’s fault, with its status and cleaned words', () => {
    for (const status of [400, 404, 413, 415, 422]) {
      const error = tell(status, 'bad secret-token');
      assert.equal(error.code, 'UPSTREAM_REJECTED');
      assert.equal(error.status, status);
      assert.equal(error.retryable, false);
      assert.equal(error.messageIn('es'), 'bad [removed]');
      assert.equal(error.options.upstreamTraceId, 'trace');
    }
  });

  it('has words of its own where Leadway has none', () => {
    assert.equal(tell(400, '').messageIn('es'), 'Leadway rechazó la petición.');
  });

  it('never shows a refusal of the BFF’s token, nor what Leadway said to it', () => {
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

  it('makes 404 of the 500 that means an unknown conversation', () => {
    const error = tell(500, 'Conversation with id abc not found');
    assert.equal(error.status, 404);
    assert.equal(error.retryable, false);
    assert.equal(tell(500, 'Contact with id abc not found').status, 502);
    assert.equal(tell(503, 'Conversation with id abc not found').status, 502);
  });

  it('makes 502 of all the rest', () => {
    for (const status of [301, 304, 402, 405, 409, 418, 451, 500, 502, 503, 504]) {
      assert.equal(tell(status).code, 'UPSTREAM_ERROR');
      assert.equal(tell(status).options.upstreamMessage, undefined);
    }
  });
});

describe('toConnectionFault', () => {
  it('tells a connection that broke from one that never was', () => {
    const coded = (code: string) => Object.assign(new Error('x'), { code });
    assert.equal(toConnectionFault(coded('ECONNRESET')).code, 'UPSTREAM_ABORTED');
    assert.equal(toConnectionFault(coded('EPIPE')).code, 'UPSTREAM_ABORTED');
    assert.equal(toConnectionFault(coded('ECONNREFUSED')).code, 'UPSTREAM_ERROR');
    assert.equal(toConnectionFault(coded('ENOTFOUND')).code, 'UPSTREAM_ERROR');
    assert.equal(toConnectionFault(new ConnectTimeoutError('x')).code, 'UPSTREAM_TIMEOUT');
    assert.equal(toConnectionFault(null).code, 'UPSTREAM_ERROR');
  });
});

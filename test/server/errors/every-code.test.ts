import assert from 'node:assert/strict';
import { ERROR_CODES, type ErrorCode } from '../../../server/errors/codes.ts';
import { startFakeClamd } from '../../helpers/clamd.ts';
import { createTestServer } from '../../helpers/test-server.ts';
import { assertError } from './assert-error.ts';
import { CODE_CASES } from './code-cases.ts';

describe('every error code', () => {
  for (const [code, { what, testServer: options, clamd, provoke, completeUploads = 0 }] of Object.entries(
    CODE_CASES,
  )) {
    it(`${code} is what a client gets for ${what}`, async () => {
      await using scanner = await startFakeClamd({ response: clamd ?? null });
      const env = clamd === undefined ? {} : { CLAMAV_URL: scanner.url };
      await using testServer = await createTestServer({ ...options, env: { ...options?.env, ...env } });
      const response = await provoke(testServer);
      assertError(response, code as ErrorCode);
      await testServer.assertClean({ completeUploads });
    });
  }

  it('has a case here', () => {
    assert.deepEqual(Object.keys(CODE_CASES).sort(), Object.keys(ERROR_CODES).sort());
  });
});

import assert from 'node:assert/strict';
import { ERROR_CODES, type ErrorCode } from '../../../server/errors/error-codes.ts';
import { createHouse } from '../../helpers/house.ts';
import { assertError } from './assert-error.ts';
import { CODE_CASES } from './code-cases.ts';

describe('every error code', () => {
  for (const [code, { what, house: options, provoke, completeUploads = 0 }] of Object.entries(CODE_CASES)) {
    it(`${code} is what a caller gets for ${what}`, async () => {
      await using house = await createHouse(options);
      const answer = await provoke(house);
      assertError(answer, code as ErrorCode);
      await house.assertTidy({ completeUploads });
    });
  }

  it('has a case here', () => {
    assert.deepEqual(Object.keys(CODE_CASES).sort(), Object.keys(ERROR_CODES).sort());
  });
});

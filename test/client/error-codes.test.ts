import assert from 'node:assert/strict';
import { LOCAL_ERROR_CODES, SERVER_ERROR_CODES, type UploadErrorCode } from '../../client/error-codes.ts';
import { ERROR_CODES, type ErrorCode } from '../../server/errors/codes.ts';

describe('the codes of the client', () => {
  it('are those of the server, and five of its own', () => {
    assert.deepEqual(SERVER_ERROR_CODES.toSorted(), Object.keys(ERROR_CODES).toSorted());
    for (const code of LOCAL_ERROR_CODES) assert(!Object.hasOwn(ERROR_CODES, code), code);
  });

  it('are known to its types', () => {
    const codes: readonly UploadErrorCode[] = [
      ...(Object.keys(ERROR_CODES) as ErrorCode[]),
      ...LOCAL_ERROR_CODES,
    ];
    assert.equal(new Set(codes).size, SERVER_ERROR_CODES.length + LOCAL_ERROR_CODES.length);
  });
});

import assert from 'node:assert/strict';
import { createUserHash } from '../../server/redaction.ts';

const SECRET = 'a secret of 32 characters or more';

describe('the hash of a user', () => {
  it('is twelve hexadecimal digits, the same on every replica with the same secret', () => {
    assert.match(createUserHash(SECRET)('user:ann'), /^[0-9a-f]{12}$/);
    assert.equal(createUserHash(SECRET)('user:ann'), createUserHash(SECRET)('user:ann'));
  });

  it('differs by user and by secret', () => {
    const hashes = [
      createUserHash(SECRET)('user:ann'),
      createUserHash(SECRET)('user:bob'),
      createUserHash(`${SECRET}!`)('user:ann'),
    ];
    assert.equal(new Set(hashes).size, 3);
  });
});

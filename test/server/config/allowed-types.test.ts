import assert from 'node:assert/strict';
import { parseAllowedTypes } from '../../../server/config/parsers.ts';
import { DEFAULT_ALLOWED, FILE_TYPES } from '../../../server/file-types/file-types.ts';

function allowed(raw: string): readonly string[] {
  const parsed = parseAllowedTypes(raw);
  assert(parsed.ok, raw);
  return parsed.value;
}

describe('ALLOWED_TYPES', () => {
  it('has the 14 extensions of the contract as its default', () => {
    const expected = 'jpg,jpeg,png,mp4,mpeg,mpg,zip,rar,pdf,doc,docx,txt,mp3,wav';
    assert.equal(DEFAULT_ALLOWED.join(','), expected);
  });

  it('is replaced by a plain list', () => {
    assert.deepEqual(allowed('PDF, vcf,pdf'), ['pdf', 'vcf']);
  });

  it('is extended by an extension', () => {
    assert.deepEqual(allowed('+vcf,+jpg'), [...DEFAULT_ALLOWED, 'vcf']);
  });

  it('is extended by every extension of a family', () => {
    for (const { family, extensions } of Object.values(FILE_TYPES)) {
      if (family === null) continue;
      const list = allowed(`+${family}`);
      for (const extension of [...DEFAULT_ALLOWED, ...extensions])
        assert(list.includes(extension), extension);
      assert.equal(new Set(list).size, list.length);
    }
  });

  it('does not mix a list with additions', () => {
    for (const raw of ['jpg,+vcf', '+office,pdf']) {
      const parsed = parseAllowedTypes(raw);
      assert.match(parsed.ok ? '' : parsed.problem, /^must either list .* or add .*, not mix both$/);
    }
  });
});

import assert from 'node:assert/strict';
import { parseBoundary } from '../../../middleware/multipart/boundary.ts';

describe('parseBoundary', () => {
  const GOOD: readonly (readonly [string, string])[] = [
    ['multipart/form-data; boundary=abc', 'abc'],
    ['multipart/form-data;boundary="a b:c/d?e=f"', 'a b:c/d?e=f'],
    ['MULTIPART/FORM-DATA ; Boundary=abc', 'abc'],
    ['multipart/form-data; charset=utf-8; boundary=abc; x="y"', 'abc'],
    ['multipart/form-data; boundary=abc;', 'abc'],
    ['multipart/form-data; boundary="abc" ; \t', 'abc'],
    ['multipart/form-data; boundary====_a/b:c,(d)?e=', '===_a/b:c,(d)?e='],
    [`multipart/form-data; boundary=${'x'.repeat(70)}`, 'x'.repeat(70)],
    ["multipart/form-data; boundary='()+_,-./:=?", "'()+_,-./:=?"],
    [
      'multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW',
      '----WebKitFormBoundary7MA4YWxkTrZu0gW',
    ],
  ];
  for (const [type, boundary] of GOOD) {
    it(`finds ${boundary.slice(0, 40)}`, () => assert.equal(parseBoundary(type), boundary));
  }

  const BAD: readonly (string | undefined)[] = [
    undefined,
    '',
    'multipart/form-data',
    'multipart/form-data;',
    'multipart/form-datax; boundary=abc',
    'multipart/mixed; boundary=abc',
    'application/x-www-form-urlencoded; boundary=abc',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""',
    'multipart/form-data; boundary="abc ',
    'multipart/form-data; boundary="abc "',
    'multipart/form-data; boundary=abc; BOUNDARY=def',
    "multipart/form-data; boundary=abc; boundary*=utf-8''def",
    "multipart/form-data; boundary*=utf-8''def",
    'multipart/form-data; boundary*0=de; boundary*1=f',
    'multipart/form-data; boundary=abc,multipart/form-data; boundary=def',
    'multipart/form-data; boundary=abc;;',
    'multipart/form-data; boundary=a b',
    'multipart/form-data; boundary="a\\"b"',
    'multipart/form-data; boundary=a"b',
    'multipart/form-data; boundary="añb"',
    'multipart/form-data; boundary="a\r\nb"',
    'multipart/form-data; boundary = abc',
    'multipart/form-data, multipart/form-data; boundary=abc',
    `multipart/form-data; boundary=${'x'.repeat(71)}`,
  ];
  for (const type of BAD) {
    it(`rejects ${JSON.stringify(type)?.slice(0, 70)}`, () => {
      assert.throws(() => parseBoundary(type), { code: 'NOT_MULTIPART' });
    });
  }

  it('accepts the same boundary twice: only two different ones leave a doubt', () => {
    for (const type of ['boundary=abc; boundary=abc', 'boundary="abc"; charset=utf-8; BOUNDARY=abc;'])
      assert.equal(parseBoundary(`multipart/form-data; ${type}`), 'abc');
  });

  it('says what is wrong with the boundary', () => {
    const messages: Record<string, RegExp> = {
      'multipart/form-data': /with a boundary/,
      'multipart/form-data; boundary=abc; boundary=def': /two boundaries/,
      'multipart/form-data; boundary="abc "': /malformed boundary/,
      'multipart/form-data; boundary=a b': /malformed boundary/,
    };
    for (const [type, message] of Object.entries(messages))
      assert.throws(() => parseBoundary(type), { message });
  });
});

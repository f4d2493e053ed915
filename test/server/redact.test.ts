import assert from 'node:assert/strict';
import { redactText } from '../../server/redact.ts';

const SIGNED =
  'https://storage.googleapis.com/b/o.pdf?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=svc&X-Goog-Signature=0badc0de';

describe('redactText', () => {
  const cases: readonly (readonly [string, string])[] = [
    [`PUT ${SIGNED} failed`, 'PUT https://storage.googleapis.com/b/o.pdf?[secret] failed'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer [secret]'],
    ['bearer%20abc', 'bearer [secret]'],
    ['token pit-1234-abcd is bad', 'token [secret] is bad'],
    ['eyJhbGciOiJkaXIifQ..x.y.z end', '[secret] end'],
    ['/path?X-Goog-Signature=ab&X-Goog-Date=1', '/path?X-Goog-Signature=[secret]&X-Goog-Date=1'],
    ['X-Amz-Credential=AKIA x', 'X-Amz-Credential=[secret] x'],
    ['https://example.com/plain is fine', 'https://example.com/plain is fine'],
    ['a spit-roast of eyJays', 'a spit-roast of eyJays'],
  ];
  for (const [text, cleaned] of cases) {
    it(`makes ${JSON.stringify(cleaned)}`, () => assert.equal(redactText(text), cleaned));
  }

  it('finds secrets behind line ends in JSON, and leaves the JSON whole', () => {
    const value = { text: `first\npit-99\nBearer abc"quoted"\\ ${SIGNED}"\neyJh.b.c`, list: [SIGNED] };
    const cleaned = redactText(JSON.stringify(value));
    assert.doesNotMatch(cleaned, /pit-99|abc|0badc0de|eyJ/);
    assert.doesNotThrow(() => JSON.parse(cleaned));
  });
});

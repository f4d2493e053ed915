import assert from 'node:assert/strict';
import { redactMessage, redactText } from '../../server/redaction.ts';

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

describe('redactMessage', () => {
  const SUSPECT: readonly string[] = [
    'https://storage.googleapis.com/bucket/a.pdf?X-Goog-Signature=0badc0de',
    'gs://bucket/object',
    'Bearer abc.def-ghi',
    'pit-12345678-1234-1234-1234-1234567890ab',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln',
    'X-Goog-Signature=0badc0de',
    'X-Amz-Credential=AKIA/2026',
    'X-Goog-Date=20261126T000000Z',
    'Bearer "abc.def"',
    'someone@example.com',
    '10.23.45.67',
    '10.23.45.67:8443',
    '2001:db8:0:1:2:3:4:5',
    '::1',
    'db-1.internal:5432',
    'localhost:3000',
    'a'.repeat(40),
    'the-token-itself',
  ];
  for (const text of SUSPECT) {
    it(`takes out ${text.slice(0, 40)}`, () => {
      const cleaned = redactMessage(`Could not use ${text} here`, ['the-token-itself']);
      assert(!cleaned.includes(text), cleaned);
      assert.match(cleaned, /^Could not use .*\[removed\].* here$/);
    });
  }

  const PLAIN: readonly string[] = [
    'File type not supported: exe',
    'contactId must be a string; locationId should not be empty',
    'The token does not have access to this location.',
    'Maximum size is 5.5 MB (5,242,880 bytes) at 12:30:45',
    'El archivo “ñandú.png” no es válido',
  ];
  for (const text of PLAIN) {
    it(`leaves ${JSON.stringify(text)}`, () => assert.equal(redactMessage(text, ['']), text));
  }

  it('makes one line of it, of a bounded length', () => {
    assert.equal(redactMessage('a\r\nb\tc\u0000d\u0085e', []), 'a b c d e');
    assert.equal(redactMessage('word '.repeat(1_000), []).length, 500);
  });

  it('takes out a secret before it could be cut in two', () => {
    const secret = 'short-secret';
    const cleaned = redactMessage(`${'word '.repeat(99)}${secret}`, [secret]);
    assert(!cleaned.includes('short'));
  });

  it('is not slowed down by hostile messages of the greatest length', () => {
    for (const piece of ['a', 'a.', 'a:', 'a:a ', '1.', '-', 'a-', 'eyJ.', '@a.', 'X-Goog-', 'a@a. ']) {
      redactMessage(piece.repeat(Math.floor(65_536 / piece.length)), []);
    }
  }).timeout(2_000);

  it('shows no half of a suspect that it cut in two', () => {
    for (let length = 950; length < 1_010; length++) {
      const cleaned = redactMessage(
        `${'x '.repeat(100)}${'https://a.example/ '.repeat(50)}`.padEnd(length, 'x '),
        [],
      );
      assert(!/http|example/.test(cleaned));
    }
    const half = redactMessage(`${'10.0.0.1 '.repeat(110)}pit-1234-5678 eyJabc`, []);
    assert(!/\d|pit|eyJ/.test(half), half);
  });
});

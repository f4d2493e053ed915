import assert from 'node:assert/strict';
import { cleanMessage } from '../../../server/leadway/clean-message.ts';

describe('cleanMessage', () => {
  const SUSPECT: readonly string[] = [
    'https://storage.googleapis.com/bucket/a.pdf?X-Goog-Signature=0badc0de',
    'gs://bucket/object',
    'Bearer abc.def-ghi',
    'pit-12345678-1234-1234-1234-1234567890ab',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln',
    'X-Goog-Signature=0badc0de',
    'X-Amz-Credential=AKIA/2026',
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
      const cleaned = cleanMessage(`Could not use ${text} here`, ['the-token-itself']);
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
    it(`leaves ${JSON.stringify(text)}`, () => assert.equal(cleanMessage(text, ['']), text));
  }

  it('makes one line of it, of a bounded length', () => {
    assert.equal(cleanMessage('a\r\nb\tc\u0000d\u0085e', []), 'a b c d e');
    assert.equal(cleanMessage('word '.repeat(1_000), []).length, 500);
  });

  it('takes out a secret before it could be cut in two', () => {
    const secret = 'short-secret';
    const cleaned = cleanMessage(`${'word '.repeat(99)}${secret}`, [secret]);
    assert(!cleaned.includes('short'));
  });

  it('is not slowed down by hostile messages of the greatest length', () => {
    for (const piece of ['a', 'a.', 'a:', 'a:a ', '1.', '-', 'a-', 'eyJ.', '@a.', 'X-Goog-', 'a@a. ']) {
      cleanMessage(piece.repeat(Math.floor(65_536 / piece.length)), []);
    }
  }).timeout(2_000);

  it('shows no half of a suspect that it cut in two', () => {
    for (let length = 950; length < 1_010; length++) {
      const cleaned = cleanMessage(
        `${'x '.repeat(100)}${'https://a.example/ '.repeat(50)}`.padEnd(length, 'x '),
        [],
      );
      assert(!/http|example/.test(cleaned));
    }
    const half = cleanMessage(`${'10.0.0.1 '.repeat(110)}pit-1234-5678 eyJabc`, []);
    assert(!/\d|pit|eyJ/.test(half), half);
  });
});

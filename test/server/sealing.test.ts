import assert from 'node:assert/strict';
import { CompactEncrypt, EncryptJWT } from 'jose';
import { createSealer } from '../../server/sealing.ts';

const OLD = 'old-secret-of-thirty-two-characters!';
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=';
const NEW = 'new-secret-of-thirty-two-characters!';

describe('createSealer', () => {
  it('opens what it sealed', async () => {
    const sealer = createSealer('ticket', [NEW]);
    assert.equal((await sealer.open(await sealer.seal({ a: 'b' })))?.['a'], 'b');
  });

  it('hides what it sealed', async () => {
    const sealed = await createSealer('ticket', [NEW]).seal({ url: 'https://signed.example/secret' });
    const parts = sealed.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    assert(!parts.join().includes('signed.example'));
  });

  it('seals with the first secret and opens with all of them, so that they can be changed', async () => {
    const before = createSealer('ticket', [OLD]);
    const during = createSealer('ticket', [NEW, OLD]);
    const after = createSealer('ticket', [NEW]);
    const [early, late] = [await before.seal({ n: 1 }), await during.seal({ n: 2 })];
    assert.notEqual(await during.open(early), null);
    assert.notEqual(await after.open(late), null);
    assert.equal(await before.open(late), null);
    assert.equal(await after.open(early), null);
  });

  it('does not open under another type, with the same secret', async () => {
    const sealed = await createSealer('ticket', [NEW]).seal({ a: 1 });
    assert.equal(await createSealer('session', [NEW]).open(sealed), null);
  });

  it('opens nothing in which a single character was changed, the stray bits at the end included', async () => {
    const sealer = createSealer('ticket', [NEW]);
    const sealed = await sealer.seal({ a: 1 });
    for (const [index, character] of [...sealed].entries()) {
      // Only the last character of a part has stray bits.
      const isLast = (sealed[index + 1] ?? '.') === '.';
      for (const other of isLast ? ALPHABET : 'AB.=-') {
        if (other === character) continue;
        const changed = sealed.slice(0, index) + other + sealed.slice(index + 1);
        assert.equal(await sealer.open(changed), null, `${index} ${other}`);
      }
    }
    for (const length of [0, 1, 10, sealed.length - 1]) {
      assert.equal(await sealer.open(sealed.slice(0, length)), null);
    }
  });

  it('opens no nonsense and throws at none', async () => {
    const sealer = createSealer('ticket', [NEW]);
    const nonsense = [
      '',
      '.',
      '....',
      'a.b.c.d.e',
      'null',
      '{}',
      'x'.repeat(100_000),
      'eyJhbGciOiJub25lIn0.e30.',
    ];
    for (const text of nonsense) assert.equal(await sealer.open(text), null, text.slice(0, 20));
  });

  it('opens nothing that was encrypted with keys that can be known from outside', async () => {
    const sealer = createSealer('ticket', [NEW]);
    const [head = ''] = (await sealer.seal({})).split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString());
    for (const key of [new Uint8Array(32), new TextEncoder().encode(NEW.slice(0, 32))]) {
      const forged = await new EncryptJWT({ a: 1 }).setProtectedHeader(header).encrypt(key);
      assert.equal(await sealer.open(forged), null);
    }
    const password = await new CompactEncrypt(new TextEncoder().encode('{"a":1}'))
      .setProtectedHeader({ ...header, alg: 'PBES2-HS256+A128KW', p2c: 1000 })
      .encrypt(new TextEncoder().encode(NEW));
    assert.equal(await sealer.open(password), null);
  });

  it('needs a secret', () => {
    assert.throws(() => createSealer('ticket', []), TypeError);
  });
});

import assert from 'node:assert/strict';
import { decryptSsoPayload } from '../../../server/auth/sso-payload.ts';
import { encryptContext, SHARED_SECRET, userContext } from '../../helpers/sso-context.ts';

const SALT = Buffer.from('saltsalt');

describe('decryptSsoPayload', () => {
  it('opens what OpenSSL encrypts', () => {
    // printf '{"userId":"u1","companyId":"c1","role":"admin","type":"agency","activeLocation":"l1"}' |
    //   openssl enc -aes-256-cbc -md md5 -a -A -S 0102030405060708 -pass pass:opensesame
    const payload =
      'U2FsdGVkX18BAgMEBQYHCL8TaKYuPlfb/MWhFV1tTQzzAas3zzDQaA4jcf8MnVj1zX+7IqNRLytFqe4uFyo+xRV/EIXwPAK/iDTHWcOqkO1Fixa2G2b/l316IC8w76YjX+9780CMuu/UMp3wNWK3TA==';
    const user = decryptSsoPayload(payload, 'opensesame');
    assert.equal(user?.userId, 'u1');
    assert.equal(user.activeLocation, 'l1');
  });

  it('opens the context of a user in a location, whatever else is in it', () => {
    const user = decryptSsoPayload(encryptContext(userContext('loc1', { plan: { a: 1 } })), SHARED_SECRET);
    assert.equal(user?.userId, 'userInTheCrm00001');
    assert.equal(user.activeLocation, 'loc1');
  });

  it('takes only the form of a user in a location', () => {
    const wrong: readonly unknown[] = [
      userContext(undefined),
      userContext(''),
      userContext('a b'),
      userContext('../x'),
      userContext('x'.repeat(65)),
      userContext('loc1', { userId: undefined }),
      userContext('loc1', { userId: 7 }),
      userContext('loc1', { companyId: null }),
      { ...userContext('loc1'), activeLocation: ['loc1'] },
      [],
      'text',
      '',
      '{}',
      'null',
    ];
    for (const context of wrong) {
      assert.equal(decryptSsoPayload(encryptContext(context), SHARED_SECRET), null, JSON.stringify(context));
    }
  });

  it('does not open under another secret, even where that decrypts to something', () => {
    const payload = encryptContext(userContext('loc1'));
    let opened = 0;
    // One wrong secret in 256 or so leaves a padding that looks right.
    for (let i = 0; i < 1_500; i += 1) {
      if (decryptSsoPayload(payload, `wrong-${i}`) !== null) opened += 1;
    }
    assert.equal(opened, 0);
  });

  it('does not open when any byte was changed, or any was cut off', () => {
    const bytes = Buffer.from(encryptContext(userContext('loc1'), SHARED_SECRET, SALT), 'base64');
    const original = decryptSsoPayload(bytes.toString('base64'), SHARED_SECRET);
    assert(original !== null);
    for (let i = 0; i < bytes.length; i += 1) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ 0xff;
      assert.equal(decryptSsoPayload(changed.toString('base64'), SHARED_SECRET), null, `byte ${i}`);
      assert.equal(decryptSsoPayload(bytes.subarray(0, i).toString('base64'), SHARED_SECRET), null);
    }
  });

  it('demands UTF-8, so that a block that was made random to change the next one shows', () => {
    const [before = '', after = ''] = JSON.stringify(userContext('loc1', { userName: 'NAME' })).split('NAME');
    const named = (name: Buffer): string =>
      encryptContext(Buffer.concat([Buffer.from(before), name, Buffer.from(after)]));
    assert(decryptSsoPayload(named(Buffer.from('Núñez')), SHARED_SECRET) !== null);
    assert.equal(decryptSsoPayload(named(Buffer.from([0xc3, 0x28])), SHARED_SECRET), null);
    assert.equal(decryptSsoPayload(named(Buffer.from([0x80, 0xff])), SHARED_SECRET), null);
  });

  it('knows one context in one spelling of its base64 only', () => {
    const context = encryptContext(userContext('loc1', { userName: 'x' }), SHARED_SECRET, SALT);
    assert.equal(
      decryptSsoPayload(context, SHARED_SECRET)?.digest,
      decryptSsoPayload(context, SHARED_SECRET)?.digest,
    );
    const stripped = context.replace(/=+$/, '');
    const spellings = [
      ...(stripped === context ? [] : [stripped]),
      `${context}=`,
      `${context}\n`,
      ` ${context}`,
      `${context.slice(0, 20)}\r\n${context.slice(20)}`,
      `${context}!`,
      ...(/[+/]/.test(context) ? [context.replaceAll('+', '-').replaceAll('/', '_')] : []),
    ];
    for (const spelling of spellings) {
      assert.equal(decryptSsoPayload(spelling, SHARED_SECRET), null, JSON.stringify(spelling.slice(-6)));
    }
  });

  it('rejects what is too long before it decrypts it', () => {
    const long = encryptContext(userContext('loc1', { note: 'x'.repeat(9_000) }));
    assert.equal(decryptSsoPayload(long, SHARED_SECRET), null);
  });
});

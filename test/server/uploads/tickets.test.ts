import assert from 'node:assert/strict';
import { EncryptJWT } from 'jose';
import { NOT_ASSESSED } from '../../../server/delivery/assess.ts';
import { AppError } from '../../../server/errors/app-error.ts';
import { createTicketCodec, type Ticket } from '../../../server/uploads/tickets.ts';

const SECRET = 'a secret of more than thirty-two characters';
const EXPIRES_AT = 1_800_000_000_000;
const GRACE_MS = 15 * 60_000;

const TICKET: Ticket = {
  client: 'ip:127.0.0.1',
  locationId: 'location1',
  conversationId: 'conversation1',
  contactId: 'contact1',
  uploadId: 'upload1',
  filePath: 'a/b/\u00fc.txt',
  uploadUrl: 'https://storage.googleapis.com/a/b/c.txt?X-Goog-Signature=0badc0de',
  filename: '\u00fc.txt',
  contentType: 'text/plain',
  channel: 'SMS',
  delivery: NOT_ASSESSED,
  fileSize: null,
  maxFileSize: 5_242_880,
  expiresAt: EXPIRES_AT,
};

function code(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === expected;
}

describe('a ticket', () => {
  let now = EXPIRES_AT - 1;
  const box = createTicketCodec([SECRET], () => now);
  beforeEach(() => {
    now = EXPIRES_AT - 1;
  });

  it('opens to what was sealed', async () => {
    const sealed = await box.seal(TICKET);
    assert.deepEqual({ ...(await box.open(sealed, TICKET.client, 'content')) }, TICKET);
    assert.match(sealed, /^[A-Za-z0-9_.-]+$/);
  });

  it('opens when an older version sealed it, without contact and delivery', async () => {
    const { contactId, delivery, ...older } = TICKET;
    const opened = await box.open(await box.seal(older as Ticket), TICKET.client, 'complete');
    assert.deepEqual({ ...opened }, { ...older, contactId: null, delivery: NOT_ASSESSED });
  });

  it('shows nothing of what it seals, and is never the same twice', async () => {
    const sealed = await box.seal(TICKET);
    const readable = sealed
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('latin1'))
      .join();
    for (const secret of ['storage', '0badc0de', 'location1', '127.0.0.1'])
      assert(!readable.includes(secret));
    assert.notEqual(await box.seal(TICKET), sealed);
  });

  it('is rejected with any one character changed', async () => {
    const sealed = await box.seal(TICKET);
    for (let at = 0; at < sealed.length; at++) {
      for (const other of ['A', 'B', '.', '=', ' ', '~', '\u00e9']) {
        if (sealed[at] === other) continue;
        const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
        await assert.rejects(box.open(changed, TICKET.client, 'content'), code('TICKET_INVALID'), `at ${at}`);
      }
    }
  });

  it('is rejected with any other last character, though some of its bits mean nothing', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const sealed = await box.seal(TICKET);
    const parts = sealed.split('.');
    for (const [index, part] of parts.entries()) {
      for (const last of alphabet) {
        if (part === '' || part.endsWith(last)) continue;
        const changed = parts.with(index, part.slice(0, -1) + last).join('.');
        await assert.rejects(box.open(changed, TICKET.client, 'content'), code('TICKET_INVALID'));
      }
    }
  });

  it('is rejected cut, lengthened, and as nonsense', async () => {
    const sealed = await box.seal(TICKET);
    const parts = sealed.split('.');
    const nonsense = ['', '.', '....', 'null', '{}', sealed.repeat(2), sealed.slice(1), sealed.slice(0, -1)];
    for (const bad of [...nonsense, `${sealed}A`, parts.slice(0, 4).join('.'), 'a'.repeat(20_000)]) {
      await assert.rejects(box.open(bad, TICKET.client, 'complete'), code('TICKET_INVALID'));
    }
  });

  it('is rejected to another client, whether or not it has expired', async () => {
    const sealed = await box.seal(TICKET);
    await assert.rejects(box.open(sealed, 'ip:127.0.0.2', 'content'), code('TICKET_INVALID'));
    now = EXPIRES_AT + GRACE_MS;
    await assert.rejects(box.open(sealed, 'ip:127.0.0.2', 'content'), code('TICKET_INVALID'));
  });

  for (const [one, other] of [
    ['user:ann', 'user:anna'],
    ['ip:10.0.0.1', 'ip:10.0.0.10'],
    ['user:ann', 'user:Ann'],
  ] as const) {
    it(`of ${one} does not open for ${other}, nor the other way round`, async () => {
      for (const [owner, client] of [
        [one, other],
        [other, one],
      ] as const) {
        const sealed = await box.seal({ ...TICKET, client: owner });
        await box.open(sealed, owner, 'content');
        await assert.rejects(box.open(sealed, client, 'content'), code('TICKET_INVALID'));
        await assert.rejects(box.open(sealed, '', 'content'), code('TICKET_INVALID'));
      }
    });
  }

  it('ends for content with the URL, and for complete a quarter of an hour later', async () => {
    const sealed = await box.seal(TICKET);
    now = EXPIRES_AT;
    await assert.rejects(box.open(sealed, TICKET.client, 'content'), code('TICKET_EXPIRED'));
    await box.open(sealed, TICKET.client, 'complete');
    now = EXPIRES_AT + GRACE_MS - 1;
    await box.open(sealed, TICKET.client, 'complete');
    now = EXPIRES_AT + GRACE_MS;
    await assert.rejects(box.open(sealed, TICKET.client, 'complete'), code('TICKET_EXPIRED'));
  });

  it('opens with every secret, and is sealed with the first', async () => {
    const rotated = createTicketCodec(
      ['another secret of more than thirty-two characters', SECRET],
      () => now,
    );
    await rotated.open(await box.seal(TICKET), TICKET.client, 'content');
    const sealed = await rotated.seal(TICKET);
    await assert.rejects(box.open(sealed, TICKET.client, 'content'), code('TICKET_INVALID'));
  });

  it('is rejected when somebody else made it', async () => {
    const kid = JSON.parse(
      Buffer.from((await box.seal(TICKET)).split('.')[0] ?? '', 'base64url').toString(),
    ) as { kid: string };
    const header = { alg: 'dir', enc: 'A256GCM', kid: kid.kid, typ: 'leadway-upload' };
    const forged = await new EncryptJWT({ ...TICKET }).setProtectedHeader(header).encrypt(new Uint8Array(32));
    await assert.rejects(box.open(forged, TICKET.client, 'content'), code('TICKET_INVALID'));
    const plain = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(TICKET)).toString('base64url')}.`;
    await assert.rejects(box.open(plain, TICKET.client, 'content'), code('TICKET_INVALID'));
  });

  it('needs a secret', () => {
    assert.throws(() => createTicketCodec([]), TypeError);
  });
});

import { createHash, hkdfSync } from 'node:crypto';
import { EncryptJWT, errors, type JWTPayload, jwtDecrypt } from 'jose';
import { appError } from '../errors/app-error.ts';

/** What a ticket seals: everything that complete and relay need, none of which the caller may choose. */
export interface Ticket {
  readonly caller: string;
  readonly locationId: string;
  readonly conversationId: string;
  readonly uploadId: string;
  readonly filePath: string;
  readonly uploadUrl: string;
  readonly filename: string;
  readonly contentType: string;
  readonly channel: string;
  /** Declared size in bytes; null when none was declared. */
  readonly fileSize: number | null;
  readonly maxFileSize: number;
  /** When the signed URL ends, in Unix milliseconds. */
  readonly expiresAt: number;
}

/** What the ticket is presented for. */
export type TicketUse = 'content' | 'complete';

/** Seals and opens tickets. */
export interface TicketBox {
  seal(ticket: Ticket): Promise<string>;
  /**
   * The ticket that `caller` presents.
   *
   * @throws AppError `TICKET_INVALID` when it is not ours, was changed or is another caller's;
   *   `TICKET_EXPIRED` when its time is over.
   */
  open(sealed: string, caller: string, use: TicketUse): Promise<Ticket>;
}

/** Complete still takes a ticket for as long as one URL lives after the URL has ended. */
const COMPLETE_GRACE_MS = 15 * 60_000;
const MAX_SEALED_CHARACTERS = 16 * 1024;
const TYPE = 'leadway-upload';

/**
 * Tickets are JWEs (RFC 7516) with a direct AES-256-GCM key. The first of `secrets` seals, all of them open,
 * so that a secret can be rotated while tickets are out.
 */
export function createTicketBox(secrets: readonly string[], now: () => number = Date.now): TicketBox {
  const keys = secrets.map(toKey);
  const [sealing] = keys;
  if (sealing === undefined) throw new TypeError('tickets need a secret');
  const keyById = new Map(keys.map((key) => [key.id, key.bytes]));

  return {
    seal(ticket) {
      return new EncryptJWT({ ...ticket })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: sealing.id, typ: TYPE })
        .encrypt(sealing.bytes);
    },
    async open(sealed, caller, use) {
      const ticket = await decrypt(sealed, keyById);
      if (ticket.caller !== caller) throw appError('TICKET_INVALID');
      const endsAt = ticket.expiresAt + (use === 'complete' ? COMPLETE_GRACE_MS : 0);
      if (now() >= endsAt) throw appError('TICKET_EXPIRED');
      return ticket;
    },
  };
}

function toKey(secret: string): { id: string; bytes: Uint8Array } {
  const bytes = new Uint8Array(hkdfSync('sha256', secret, '', 'leadway-bff upload ticket', 32));
  return { id: createHash('sha256').update(bytes).digest('base64url').slice(0, 8), bytes };
}

async function decrypt(sealed: string, keyById: ReadonlyMap<string, Uint8Array>): Promise<Ticket> {
  if (sealed.length > MAX_SEALED_CHARACTERS || !isCanonical(sealed)) throw appError('TICKET_INVALID');
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtDecrypt(
      sealed,
      ({ kid }) => {
        const key = keyById.get(kid ?? '');
        if (key === undefined) throw new errors.JWEDecryptionFailed();
        return key;
      },
      { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'], typ: TYPE },
    ));
  } catch (cause) {
    throw appError('TICKET_INVALID', { cause });
  }
  // What decrypts was sealed by us with this very shape.
  return payload as unknown as Ticket;
}

/** Base64url readers overlook stray bits at the end; a ticket changed only there would still open. */
function isCanonical(sealed: string): boolean {
  return sealed.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}

import { DEFAULT_ALLOWED } from '../../file-types/file-types.ts';
import { parseAllowedTypes } from '../allowed-types.ts';
import { parseClamavAddress } from '../clamav.ts';
import { bad, distinct, good, integer, listOf, type Parsed } from '../parsers.ts';
import { optional, setting } from '../setting.ts';
import { parseSecureOrigin } from '../web-address.ts';

const TEBIBYTE = 1024 ** 4;
// Every upload may hold this much at once, times MAX_CONCURRENT_UPLOADS.
const LARGEST_HOLD = 16 * 1024 * 1024;

/** What an upload may be and how much of it there may be at once. */
export const UPLOAD_VARIABLES = {
  FORWARD_MAX_BYTES: setting(integer(1, TEBIBYTE), {
    default: '5242880',
    example: '10485760',
    doc: 'largest file that is forwarded to Leadway',
  }),
  FORWARD_HOLD_BYTES: setting(integer(0, LARGEST_HOLD), {
    default: '262144',
    example: '65536',
    doc: 'uploads up to this size are held for a moment and sent with an exact length; at most FORWARD_MAX_BYTES',
  }),
  FORWARD_FALLBACK_MAX_BYTES: setting(integer(1, TEBIBYTE), {
    default: '5242880',
    example: '26214400',
    doc: 'largest forwarded file where Leadway offers no direct uploads; at least FORWARD_MAX_BYTES',
  }),
  MAX_FILES: setting(integer(1, 50), {
    default: '5',
    example: '10',
    doc: 'files in one request',
  }),
  DEFAULT_CHANNEL: setting(parseChannel, {
    default: 'SMS',
    example: 'WHATSAPP',
    doc: 'channel of a call that names none',
  }),
  ALLOWED_TYPES: setting(parseAllowedTypes, {
    default: DEFAULT_ALLOWED.join(','),
    example: 'jpg,jpeg,png,pdf',
    doc: 'file extensions that are accepted; +name or +family adds to the default, as in +vcf,+office',
  }),
  MAX_CONCURRENT_UPLOADS: setting(integer(1, 100_000), {
    default: '256',
    example: '64',
    doc: 'uploads in flight at once',
  }),
  MAX_CONCURRENT_UPLOADS_PER_CALLER: setting(integer(1, 100_000), {
    default: '8',
    example: '4',
    doc: 'uploads in flight at once for one client',
  }),
  UPLOAD_IDLE_TIMEOUT_MS: setting(integer(10, 3_600_000), {
    default: '30000',
    example: '60000',
    doc: 'no progress from the client for this long ends the upload with 408',
  }),
  ATTACHMENT_URL_ORIGINS: optional(distinct(listOf(parseSecureOrigin)), {
    example: 'https://files.example.com',
    doc: 'https origins from which attachmentUrls are accepted; none when not set',
  }),
  CLAMAV_URL: optional(parseClamavAddress, {
    example: 'tcp://clamav.example.com:3310',
    doc: 'clamd that scans each file before it is committed',
  }),
};

function parseChannel(raw: string): Parsed<string> {
  return /^[A-Za-z0-9_]{1,32}$/.test(raw)
    ? good(raw.toUpperCase())
    : bad('must be 1 to 32 letters, digits or _');
}

import assert from 'node:assert/strict';
import { AppError } from '../../../server/errors/app-error.ts';
import { chooseMode, type ModeFacts } from '../../../server/uploads/mode.ts';

const MIB = 1024 * 1024;

const FACTS: ModeFacts = {
  mode: 'auto',
  isGroupSms: false,
  isSecureAttachment: false,
  fileCount: 1,
  size: 1_000,
  channel: null,
  defaultChannel: 'SMS',
  isComplete: true,
  isDirectOffered: true,
  isDirectAllowed: true,
  forwardMaxBytes: 5 * MIB,
  fallbackMaxBytes: 25 * MIB,
};

/** The mode, or the error as `CODE limit channel use`. */
function choice(facts: Partial<ModeFacts>): string {
  try {
    return chooseMode({ ...FACTS, ...facts });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { limit, channel, use } = error.options.details ?? {};
    return [error.code, limit, channel, use].filter((part) => part !== undefined).join(' ');
  }
}

const whatsapp = { channel: 'WHATSAPP' } as const;
const LIMIT = 5 * MIB;

const CASES: readonly (readonly [string, Partial<ModeFacts>, string])[] = [
  ['a small file is forwarded', {}, 'forward'],
  ['a file of unknown size is forwarded', { size: null }, 'forward'],
  ['the limit itself is forwarded', { size: LIMIT }, 'forward'],
  ['more goes direct where the channel takes it', { size: LIMIT + 1, ...whatsapp }, 'direct'],
  ['the channel’s limit itself goes direct', { size: 100 * MIB, ...whatsapp }, 'direct'],
  [
    'more than both is too large',
    { size: 100 * MIB + 1, ...whatsapp },
    `FILE_TOO_LARGE ${100 * MIB} WHATSAPP`,
  ],
  ['the default channel counts', { size: LIMIT + 1, defaultChannel: 'WHATSAPP' }, 'direct'],
  ['more than both on SMS', { size: LIMIT + 1 }, `FILE_TOO_LARGE ${LIMIT} SMS`],
  ['a channel may still come', { size: LIMIT + 1, isComplete: false }, 'undecided'],
  ['no channel takes this much', { size: 101 * MIB, isComplete: false }, `FILE_TOO_LARGE ${LIMIT} SMS`],
  ['without direct, the fallback limit counts', { size: 25 * MIB, isDirectOffered: false }, 'forward'],
  [
    'and more than that is too large',
    { size: 25 * MIB + 1, isDirectOffered: false, ...whatsapp },
    `FILE_TOO_LARGE ${25 * MIB} WHATSAPP`,
  ],
  [
    'several files are not told to go direct, which takes one',
    { size: LIMIT + 1, fileCount: 2, ...whatsapp },
    `FILE_TOO_LARGE ${LIMIT} WHATSAPP`,
  ],
  [
    'nor are they with forward by name',
    { mode: 'forward', size: LIMIT + 1, fileCount: 2, ...whatsapp },
    `FILE_TOO_LARGE ${LIMIT} WHATSAPP`,
  ],
  [
    'where a scan rules out direct, several files are told to be relayed',
    { size: LIMIT + 1, fileCount: 2, isDirectAllowed: false, ...whatsapp },
    `FILE_TOO_LARGE ${LIMIT} WHATSAPP relay`,
  ],
  ['forward by name', { mode: 'forward', size: LIMIT }, 'forward'],
  [
    'forward by name, too large, and direct would do',
    { mode: 'forward', size: LIMIT + 1, ...whatsapp },
    `FILE_TOO_LARGE ${LIMIT} WHATSAPP direct`,
  ],
  [
    'forward by name keeps its limit without direct',
    { mode: 'forward', size: LIMIT + 1, isDirectOffered: false, ...whatsapp },
    `FILE_TOO_LARGE ${LIMIT} WHATSAPP`,
  ],
  ['direct by name for a small file', { mode: 'direct' }, 'direct'],
  ['direct by name for several', { mode: 'direct', fileCount: 2 }, 'TOO_MANY_FILES'],
  ['relay by name', { mode: 'relay', size: 50 * MIB, ...whatsapp }, 'relay'],
  ['relay over its channel', { mode: 'relay', size: LIMIT + 1 }, `FILE_TOO_LARGE ${LIMIT} SMS`],
  ['a group SMS is forwarded', { isGroupSms: true }, 'forward'],
  ['a group SMS by direct', { isGroupSms: true, mode: 'direct' }, 'INVALID_FIELD'],
  ['a group SMS by relay', { isGroupSms: true, mode: 'relay' }, 'INVALID_FIELD'],
  ['a group SMS of two', { isGroupSms: true, fileCount: 2 }, 'TOO_MANY_FILES'],
  [
    'a private file too large is not told to go direct',
    { isSecureAttachment: true, size: LIMIT + 1, ...whatsapp },
    `FILE_TOO_LARGE ${LIMIT} WHATSAPP`,
  ],
  ['a private file is forwarded', { isSecureAttachment: true }, 'forward'],
  ['several private files are forwarded', { isSecureAttachment: true, fileCount: 2 }, 'forward'],
  ['a private file by direct', { isSecureAttachment: true, mode: 'direct' }, 'INVALID_FIELD'],
  ['a private file by relay', { isSecureAttachment: true, mode: 'relay' }, 'INVALID_FIELD'],
  [
    'the fallback limit counts for a private file too',
    { isSecureAttachment: true, size: 25 * MIB, isDirectOffered: false },
    'forward',
  ],
  [
    'a group SMS too large is not told to go direct',
    { isGroupSms: true, size: LIMIT + 1, ...whatsapp },
    `FILE_TOO_LARGE ${LIMIT} WHATSAPP`,
  ],
];

describe('chooseMode', () => {
  for (const [what, facts, expected] of CASES) {
    it(`${what}: ${expected}`, () => assert.equal(choice(facts), expected));
  }
});

import assert from 'node:assert/strict';
import { checkFile, predictDelivery } from '../../client/file-check.ts';
import { createErrorFactory } from '../../client/messages.ts';
import type { ClientConfig } from '../../client/types.ts';
import { assessDelivery, predictableWarnings, toDelivery } from '../../server/delivery/assess.ts';
import { CHANNEL_RULES } from '../../server/delivery/channel-rules.ts';
import { kindOf } from '../../server/delivery/media-probe.ts';
import { REASONS } from '../../server/delivery/reasons.ts';
import {
  ALL_EXTENSIONS,
  createTypePolicy,
  FILE_TYPES,
  type FileType,
} from '../../server/file-types/file-types.ts';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';
import { CONFIG } from './fake-page.ts';

type Mode = 'auto' | 'forward' | 'direct' | 'relay';

interface Case {
  readonly name: string;
  readonly type?: string;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly channel?: string;
  readonly mode?: Mode;
}

const text = (bytes: number) => new Uint8Array(bytes).fill(0x61);
const png = new Uint8Array(fixture('picture.png'));
const film = new Uint8Array(mp4(6_000_000));

/** Files of every kind that name, type and size tell about; those that are taken among them. */
const CASES: readonly Case[] = [
  { name: 'a.txt', type: 'text/plain' },
  { name: 'a.txt' },
  { name: 'A.TXT', type: 'application/octet-stream' },
  { name: 'a.png', type: 'image/png', bytes: png },
  { name: 'a.png', type: 'text/plain', bytes: png },
  { name: 'ä ñ 日本.txt' },
  { name: '.hidden.txt' },
  { name: 'folder/a.txt' },
  { name: 'folder\\a.txt' },
  { name: 'a.txt . ' },
  { name: ' a.txt' },
  { name: 'a.b.txt' },
  { name: `${'x'.repeat(251)}.txt` },
  // The name.
  { name: `${'x'.repeat(252)}.txt` },
  { name: `${'ñ'.repeat(126)}.txt` },
  { name: '...' },
  { name: ' ' },
  { name: 'folder/' },
  { name: 'exe.\u202egpj.txt' },
  { name: 'a\ufffd.txt' },
  { name: 'a.exe:.txt' },
  { name: '2026-01-31 10:30.txt' },
  { name: '\u200ea\u200f.txt\u061c' },
  { name: 'a.7z:.txt' },
  // The type.
  { name: 'setup.exe', type: 'application/x-msdownload' },
  { name: 'setup.exe', bytes: text(0) },
  { name: 'a' },
  { name: '.txt' },
  { name: 'a.txt.exe' },
  { name: 'card.vcf', type: 'text/vcard' },
  { name: 'a.png', type: 'image/x-png', bytes: png },
  { name: 'a.png', type: 'application/kswps', bytes: png },
  // The size.
  { name: 'a.txt', bytes: text(0) },
  { name: 'a.mp4', type: 'video/mp4', bytes: film },
  { name: 'a.mp4', type: 'video/mp4', bytes: film, channel: 'email' },
  { name: 'a.mp4', type: 'video/mp4', bytes: film, channel: 'WhatsApp' },
  { name: 'a.mp4', type: 'video/mp4', bytes: film, channel: 'WHATSAPP', mode: 'forward' },
  { name: 'a.mp4', type: 'video/mp4', bytes: film, channel: 'SMS', mode: 'direct' },
  { name: 'a.mp4', type: 'video/mp4', bytes: film, mode: 'relay' },
];

/** The response of the server to a form with the file. */
async function responseOf(testServer: TestServer, file: File, { channel, mode = 'auto' }: Case) {
  const form = new FormData();
  // A size of 0 can't be declared.
  const fields = { ...testServer.fields, channel, fileSize: file.size === 0 ? undefined : String(file.size) };
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.append(name, value);
  form.append('fileAttachment', file, file.name);
  const response = await fetch(`${testServer.api}/messages/upload?mode=${mode}`, {
    method: 'POST',
    body: form,
  });
  const body = (await response.json()) as {
    code?: string;
    message?: string;
    details?: { limit?: number; extension?: string };
  };
  const { code, message } = body;
  if (response.ok) return null;
  const words = code === 'TYPE_NOT_ALLOWED' && { message };
  return { code, status: response.status, ...words, ...pick(body.details) };
}

function pick(details: { limit?: unknown; extension?: unknown } | undefined) {
  const { limit, extension } = details ?? {};
  return { limit, extension };
}

describe('what the client rejects by itself', () => {
  it('is what the server rejects, under any settings', async () => {
    for (const env of [{}, { FORWARD_MAX_BYTES: '1000000', DEFAULT_CHANNEL: 'WHATSAPP' }]) {
      await using testServer = await createTestServer({ env });
      const config = (await (await fetch(`${testServer.api}/config`)).json()) as ClientConfig;
      const errors = createErrorFactory({ language: 'en' });
      let rejected = 0;
      for (const one of CASES) {
        const { name, type = '', bytes = text(100), channel, mode } = one;
        const file = new File([bytes], name, { type });
        const error = checkFile(file, { channel, mode }, config, errors);
        const own = error && {
          code: error.code,
          status: error.status,
          // The server says the same of a type, in the same words.
          ...(error.is('TYPE_NOT_ALLOWED') && { message: error.message }),
          ...pick(error.details),
        };
        assert.deepEqual(
          own,
          await responseOf(testServer, file, one),
          JSON.stringify({ name, type, channel, mode }),
        );
        if (own !== null) rejected += 1;
      }
      assert(rejected > 15 && rejected < CASES.length - 10, `${rejected} rejected`);
    }
  });

  it('ignores declared types, which only the server checks', async () => {
    await using testServer = await createTestServer({});
    const config = (await (await fetch(`${testServer.api}/config`)).json()) as ClientConfig;
    for (const type of ['image/jpeg', 'text/html', 'application/x-msdownload', 'application/kswps']) {
      const file = new File([png], 'a.png', { type });
      assert.equal(checkFile(file, {}, config, createErrorFactory({})), null, type);
    }
  });

  it('rejects a mode that is not offered with the code of the server', async () => {
    await using testServer = await createTestServer({ sandbox: { fault: 'no-initiate' } });
    const file = new File([text(100)], 'a.txt');
    const response = await responseOf(testServer, file, { name: 'a.txt', mode: 'direct' });
    const config = (await (await fetch(`${testServer.api}/config`)).json()) as ClientConfig;
    const error = checkFile(file, { mode: 'direct' }, config, createErrorFactory({}));
    assert.equal(error?.code, response?.code);
    assert.equal(error?.status, response?.status);
  });
});

describe('what the client says of delivery', () => {
  const MB = 1024 * 1024;
  const types: readonly FileType[] = Object.values(FILE_TYPES);

  for (const language of ['en', 'es'] as const) {
    it(`is what the server says of name and size, of every type on every channel (${language})`, () => {
      const warnings = predictableWarnings(createTypePolicy(ALL_EXTENSIONS), language);
      const config = { ...CONFIG, delivery: { strict: false, channels: {}, warnings } };
      const errors = createErrorFactory({ language });
      for (const { name: format, family, extensions } of types) {
        for (const extension of extensions) {
          for (const channel of [...Object.keys(CHANNEL_RULES), 'IG']) {
            for (const size of [1, MB, 5 * MB, 5 * MB + 100_000, 16 * MB, 20 * MB, 30 * MB, 200 * MB]) {
              const name = `a.${extension}`;
              const media = { kind: kindOf(family), format, codecs: null, hasUsualColours: null };
              const all = assessDelivery(channel, [{ name, size, media }]);
              const worst = all.reasons.filter(({ code }) => REASONS[code].verdict === all.verdict);
              const isFound = all.verdict === 'warning' || all.verdict === 'unlikely';
              const expected = toDelivery({ ...all, reasons: isFound ? worst : [] }, language);
              const said = predictDelivery(sized(name, size), { channel }, config, errors);
              const what = `${name} ${size} ${channel}`;
              assert.deepEqual(
                said?.reasons.map(({ code }) => code),
                expected.reasons.map(({ code }) => code),
                what,
              );
              assert.equal(said?.verdict, isFound ? all.verdict : 'unknown', what);
              for (const { code, message } of expected.reasons) {
                const own = said?.reasons.find((reason) => reason.code === code)?.message ?? '';
                assert(own.startsWith(message), `${own} | ${message}`);
              }
            }
          }
        }
      }
    });
  }

  /** A file of that size without its bytes. */
  function sized(name: string, size: number): File {
    return Object.defineProperty(new File([], name), 'size', { value: size });
  }
});

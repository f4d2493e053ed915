import assert from 'node:assert/strict';
import {
  assertDeliverable,
  assessDelivery,
  type DeliverableFile,
  toDelivery,
} from '../../../server/delivery/assess.ts';
import { CHANNEL_RULES } from '../../../server/delivery/channel-rules.ts';
import type { Media } from '../../../server/delivery/media-probe.ts';
import { REASONS } from '../../../server/delivery/reasons.ts';
import { FILE_TYPES } from '../../../server/file-types/file-types.ts';

const MB = 1024 * 1024;

function file(
  format: string,
  kind: Media['kind'],
  size: number | null = 1000,
  media: Partial<Media> = {},
): DeliverableFile {
  return {
    name: `a.${format}`,
    size,
    media: { kind, format, codecs: null, hasUsualColours: true, ...media },
  };
}

function film(video: readonly string[], audio: readonly string[], size = 1000): DeliverableFile {
  return file('mp4', 'video', size, { codecs: { video, audio } });
}

function codes(channel: string, ...files: DeliverableFile[]): string {
  const { verdict, reasons } = assessDelivery(channel, files);
  return [verdict, ...reasons.map(({ code }) => code)].join(' ');
}

describe('what WhatsApp will deliver', () => {
  const cases: readonly (readonly [DeliverableFile, string])[] = [
    [file('jpg', 'image', 5 * MB), 'ok'],
    [file('png', 'image', 5 * MB + 1), 'unlikely FILE_TOO_LARGE_FOR_CHANNEL'],
    [file('gif', 'image'), 'unlikely FORMAT_NOT_DELIVERED'],
    [file('heic', 'image'), 'unlikely FORMAT_NOT_DELIVERED'],
    [file('jpg', 'image', 1000, { hasUsualColours: false }), 'unlikely COLOURS_NOT_DELIVERED'],
    [file('jpg', 'image', null), 'unknown SIZE_NOT_KNOWN'],
    [film(['h264'], ['aac'], 16 * MB), 'ok'],
    [film(['h264'], []), 'ok'],
    [film(['h264'], ['aac'], 60 * MB), 'unlikely FILE_TOO_LARGE_FOR_CHANNEL'],
    [film(['hevc'], ['aac']), 'unlikely VIDEO_CODEC_NOT_DELIVERED'],
    [film(['h264'], ['mp3']), 'unlikely AUDIO_CODEC_NOT_DELIVERED'],
    [film(['h264'], ['aac', 'aac']), 'unlikely SEVERAL_AUDIO_TRACKS'],
    [film([], ['aac']), 'unlikely VIDEO_CODEC_NOT_DELIVERED'],
    [file('mp4', 'video'), 'unknown CODEC_NOT_SEEN'],
    [file('mpeg', 'video'), 'unlikely FORMAT_NOT_DELIVERED'],
    [file('ogg', 'audio', 1000, { codecs: { video: [], audio: ['opus'] } }), 'ok'],
    [
      file('ogg', 'audio', 1000, { codecs: { video: [], audio: ['vorbis'] } }),
      'unlikely AUDIO_CODEC_NOT_DELIVERED',
    ],
    [file('wav', 'audio', 1000, { codecs: { video: [], audio: ['pcm'] } }), 'unlikely FORMAT_NOT_DELIVERED'],
    [file('pdf', 'document', 100 * MB), 'ok'],
    [file('zip', 'document'), 'warning FORMAT_MAY_BE_DROPPED'],
  ];
  for (const [one, expected] of cases) {
    const of = `${one.name}, ${one.size} bytes, ${JSON.stringify(one.media.codecs)}`;
    it(`is ${expected}: ${of}`, () => assert.equal(codes('whatsapp', one), expected));
  }
});

describe('what other channels will deliver', () => {
  it('is pictures by MMS, 5 MB of them in a message', () => {
    assert.equal(codes('SMS', file('jpg', 'image'), file('gif', 'image')), 'ok');
    assert.equal(codes('SMS', file('jpg', 'image', 600 * 1024 + 1)), 'warning TOO_LARGE_FOR_TOLL_FREE');
    const half = file('jpg', 'image', 2.6 * MB);
    assert.equal(codes('SMS', half, half), 'unlikely MESSAGE_TOO_LARGE');
    assert.equal(codes('SMS', file('pdf', 'document')), 'warning FORMAT_MAY_BE_DROPPED');
  });

  it('is anything by email, 25 MB in all', () => {
    assert.equal(codes('EMAIL', file('zip', 'document', 25 * MB)), 'ok');
    assert.equal(codes('EMAIL', film(['hevc'], [], 25 * MB + 1)), 'unlikely MESSAGE_TOO_LARGE');
    assert.equal(codes('EMAIL', file('zip', 'document', null)), 'unknown SIZE_NOT_KNOWN');
  });

  it('is not known of channels without a source', () => {
    for (const channel of ['LIVE_CHAT', 'constructor', '__proto__', '']) {
      assert.equal(codes(channel, file('jpg', 'image')), 'unknown CHANNEL_NOT_KNOWN');
    }
  });
});

describe('the verdict', () => {
  it('is that of the worst file', () => {
    const fine = file('jpg', 'image');
    assert.equal(assessDelivery('WHATSAPP', [fine, file('zip', 'document'), fine]).verdict, 'warning');
    assert.equal(
      assessDelivery('WHATSAPP', [file('gif', 'image'), file('mp4', 'video')]).verdict,
      'unlikely',
    );
    assert.equal(
      assessDelivery('WHATSAPP', [file('zip', 'document'), file('mp4', 'video')]).verdict,
      'warning',
    );
  });

  it('comes with a sentence for people in both languages', () => {
    const assessment = assessDelivery('WHATSAPP', [film(['h264'], ['aac'], 60 * MB)]);
    assert.deepEqual(toDelivery(assessment, 'en'), {
      verdict: 'unlikely',
      reasons: [
        {
          code: 'FILE_TOO_LARGE_FOR_CHANNEL',
          message: 'The file is 60 MB. This channel delivers such files up to 16 MB.',
          file: 'a.mp4',
        },
      ],
    });
    assert.match(toDelivery(assessment, 'es').reasons[0]?.message ?? '', /^El archivo ocupa 60 MB\./);
    for (const { message } of Object.values(REASONS)) {
      const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
      assert.deepEqual(places(message.es), places(message.en));
    }
  });

  it('rejects what is unlikely, and only that, where delivery is strict', () => {
    assertDeliverable(assessDelivery('WHATSAPP', [file('zip', 'document'), file('mp4', 'video')]));
    assert.throws(() => assertDeliverable(assessDelivery('WHATSAPP', [file('gif', 'image')])), {
      code: 'NOT_DELIVERABLE',
      status: 422,
    });
  });
});

describe('the rules of channels', () => {
  it('name types that exist, a source and a date', () => {
    const names = Object.values(FILE_TYPES).map(({ name }) => name);
    for (const { source, date, kinds = {} } of Object.values(CHANNEL_RULES)) {
      assert.match(source, /^https:\/\//);
      assert.match(date, /^\d{4}-\d{2}-\d{2}$/);
      for (const { formats } of Object.values(kinds)) {
        for (const format of formats) assert(names.includes(format), format);
      }
    }
  });
});

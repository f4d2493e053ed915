import assert from 'node:assert/strict';
import { createMediaProbe, type Media } from '../../../server/delivery/media-probe.ts';
import { extensionOf, fileTypeOfExtension } from '../../../server/file-types/file-types.ts';
import { IsoBoxReader } from '../../../server/file-types/formats/iso-media.ts';
import { fixture } from '../../helpers/multipart.ts';
import { createRandom, randomBytes } from '../../helpers/random.ts';

function probe(name: string, bytes: Buffer, pieceBytes: number): Media {
  const type = fileTypeOfExtension(extensionOf(name));
  assert(type);
  const made = createMediaProbe(type);
  for (let at = 0; at < bytes.length; at += pieceBytes) made.update(bytes.subarray(at, at + pieceBytes));
  return made.media();
}

const FILES: readonly (readonly [string, Media['kind'], Media['codecs'], boolean | null])[] = [
  ['moov-last.mp4', 'video', { video: ['h264'], audio: ['aac'] }, null],
  ['moov-first.mp4', 'video', { video: ['h264'], audio: ['aac'] }, null],
  ['fragmented.mp4', 'video', { video: ['h264'], audio: ['aac'] }, null],
  ['3gp/ffmpeg-h263.3gp', 'video', { video: ['h263'], audio: [] }, null],
  ['3gp/ffmpeg-mpeg4.3gp', 'video', { video: ['mpeg4'], audio: ['aac'] }, null],
  ['tone.m4a', 'audio', { video: [], audio: ['aac'] }, null],
  ['m4a/ffmpeg-alac.m4a', 'audio', { video: [], audio: ['alac'] }, null],
  ['ogg/opusenc.ogg', 'audio', { video: [], audio: ['opus'] }, null],
  ['tone.ogg', 'audio', { video: [], audio: ['vorbis'] }, null],
  ['bare.mp3', 'audio', { video: [], audio: ['mp3'] }, null],
  ['picture.jpg', 'image', null, true],
  ['progressive.jpeg', 'image', null, true],
  ['picture.png', 'image', null, false], // 16 bits
  ['animated.png', 'image', null, true],
  ['writer.pdf', 'document', null, null],
];

describe('what the bytes of a file say', () => {
  for (const [name, kind, codecs, hasUsualColours] of FILES) {
    it(`is read from ${name}, however it is cut in pieces`, () => {
      for (const pieceBytes of [1, 7, 511, 1 << 20]) {
        const media = probe(name, fixture(name), pieceBytes);
        assert.deepEqual({ ...media, format: '' }, { kind, format: '', codecs, hasUsualColours });
      }
    });
  }

  it('is not guessed before the bytes that say it', () => {
    assert.equal(probe('a.mp4', fixture('moov-last.mp4').subarray(0, 4_100), 4_100).codecs, null);
    assert.equal(probe('a.jpg', fixture('picture.jpg').subarray(0, 12), 12).hasUsualColours, null);
  });

  it('is nothing for hostile bytes, which are not kept', () => {
    const random = createRandom(14);
    for (let round = 0; round < 300; round += 1) {
      const bytes = Buffer.from(fixture(round % 2 ? 'moov-first.mp4' : 'picture.jpg'));
      const noise = randomBytes(40, random);
      for (const byte of noise) bytes[Math.floor(random() * bytes.length)] = byte;
      probe('a.mp4', bytes, 97);
      probe('a.jpg', bytes, 97);
      probe('a.ogg', bytes, 97);
    }
  });

  it('ends for boxes that nest without end, or claim more than their parent has', () => {
    const box = (type: string, size: number) => {
      const header = Buffer.alloc(8);
      header.writeUInt32BE(size, 0);
      header.write(type, 4, 'latin1');
      return header;
    };
    const many = new IsoBoxReader();
    many.update(box('moov', 0xffffffff));
    for (let count = 0; count < 1_000; count += 1) many.update(box('trak', 8));
    assert(many.isBroken);
    assert(many.tracks.length <= 64);
    const larger = new IsoBoxReader();
    larger.update(Buffer.concat([box('moov', 100), box('trak', 200)]));
    assert(larger.isBroken);
    const empty = new IsoBoxReader();
    empty.update(Buffer.concat([box('free', 4), box('moov', 8)]));
    assert(empty.isBroken);
  });
});

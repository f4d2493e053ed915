import { defineFileType, MATCH, mismatch, type StructureCheck } from '../file-type.ts';
import { IsoBoxReader, isMp4Brand, kindOfBrands, readBrands, type Track } from '../formats/iso-media.ts';

const M4A_BRAND = /^M4[AB] $/;
const VIDEO = 'video/mp4';

/**
 * M4A: an ISO media file with sound and no video. Apple's brand says so; Android's recorders name an MP4 brand, so the
 * tracks decide. A cover picture may be a separate track.
 */
export const m4a = defineFileType({
  name: 'm4a',
  extensions: ['m4a'],
  mimeTypes: ['audio/mp4', 'audio/x-m4a', 'audio/m4a', 'audio/mp4a-latm', 'audio/aac', 'audio/x-mp4'],
  family: 'audio',
  isDefault: false,
  matcher: {
    match(bytes) {
      const brands = readBrands(bytes);
      if (brands === null) return mismatch();
      const { major } = brands;
      const mayBeSound = M4A_BRAND.test(major) || isMp4Brand(major);
      return mayBeSound ? { matches: true, structure: createTrackCheck() } : mismatch(kindOfBrands(brands));
    },
    contradictedBy: null,
  },
  label: { en: 'an M4A recording', es: 'una grabación M4A' },
  advice: 'save',
  saveAs: ['mp3', 'wav'],
});

function createTrackCheck(): StructureCheck {
  const reader = new IsoBoxReader();
  return {
    update: (chunk) => reader.update(chunk),
    finish() {
      if (!reader.isDone) return mismatch();
      if (reader.tracks.some(isFilm)) return mismatch(VIDEO);
      return reader.tracks.some(({ handler }) => handler === 'soun') ? MATCH : mismatch(VIDEO);
    },
  };
}

function isFilm({ handler, codec }: Track): boolean {
  return handler === 'vide' && !/^(?:jpeg|png |mjpa|mjpb)$/.test(codec);
}

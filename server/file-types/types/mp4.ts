import { defineFileType, MATCH, mismatch } from '../file-type.ts';
import { kindOfBrands, readBrands } from '../formats/iso-media.ts';

/** MP4: an ISO media file (ISO/IEC 14496-12) with an MP4 brand. */
export const mp4 = defineFileType({
  name: 'mp4',
  extensions: ['mp4'],
  mimeTypes: ['video/mp4', 'application/mp4', 'video/x-m4v', 'video/mpeg4'],
  family: 'video',
  isDefault: true,
  matcher: {
    match(bytes) {
      const brands = readBrands(bytes);
      const kind = brands && kindOfBrands(brands);
      return kind === 'video/mp4' ? MATCH : mismatch(kind);
    },
    contradictedBy: null,
  },
  label: { en: 'an MP4 video', es: 'un video MP4' },
});

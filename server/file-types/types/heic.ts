import { defineFileType, MATCH, mismatch } from '../file-type.ts';
import { kindOfBrands, readBrands } from '../formats/iso-media.ts';

/** HEIC: ISO/IEC 23008-12 annex B, a still picture in HEVC. Sequences (`hevc`) and AVIF are other kinds. */
export const heic = defineFileType({
  name: 'heic',
  extensions: ['heic'],
  mimeTypes: ['image/heic', 'image/heif', 'image/x-heic'],
  family: 'image',
  isDefault: false,
  matcher: {
    match(bytes) {
      const brands = readBrands(bytes);
      if (brands === null) return mismatch();
      return isStill(brands.major, brands.compatible) ? MATCH : mismatch(kindOfBrands(brands));
    },
    contradictedBy: null,
  },
  label: { en: 'an iPhone photo (HEIC)', es: 'una foto de iPhone (HEIC)' },
  advice: 'heic',
  saveAs: ['jpg'],
});

const HEVC_STILL = /^hei[cxms]$/;

function isStill(major: string, compatible: readonly string[]): boolean {
  if (HEVC_STILL.test(major)) return true;
  // Cameras that name the general brand first say with the others how the picture is coded.
  return (
    major === 'mif1' && compatible.some((brand) => HEVC_STILL.test(brand)) && !compatible.includes('avif')
  );
}

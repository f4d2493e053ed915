import { defineFileType, MATCH, mismatch } from '../file-type.ts';
import { isMp4Brand, kindOfBrands, readBrands } from '../formats/iso-media.ts';

const BRAND_3GP = /^3g[eghprst]\d$/;

/** 3GP: 3GPP TS 26.244 section 5.3, an ISO media file with one of its brands. 3G2 (`3g2a`) is another kind. */
export const threeGp = defineFileType({
  name: '3gp',
  extensions: ['3gp'],
  mimeTypes: ['video/3gpp', 'video/3gp', 'audio/3gpp', 'video/x-3gpp'],
  family: 'video',
  isDefault: false,
  matcher: {
    match(bytes) {
      const brands = readBrands(bytes);
      if (brands === null) return mismatch();
      const { major, compatible } = brands;
      if (BRAND_3GP.test(major)) return MATCH;
      const is3gpToo = isMp4Brand(major) && compatible.some((brand) => BRAND_3GP.test(brand));
      return is3gpToo ? MATCH : mismatch(kindOfBrands(brands));
    },
    contradictedBy: null,
  },
  label: { en: 'a 3GP video', es: 'un video 3GP' },
  advice: 'save',
  saveAs: ['mp4'],
});

import { differs, FITS, type HeadFinding, type Matcher } from './matcher.ts';

/**
 * MP4: the file type box of ISO/IEC 14496-12 section 4.3, brands by the MP4 registration authority
 * (mp4ra.org). The major brand decides; a brand that is not known here needs an MP4 one among the
 * compatible brands.
 */
export const mp4: Matcher = {
  judgeHead(head) {
    const brands = brandsOf(head);
    return brands ? judgeBrands(brands) : differs();
  },
  contradictedBy: null,
};

const MP4_BRANDS: ReadonlySet<string> = new Set([
  ...['isom', 'iso2', 'iso3', 'iso4', 'iso5', 'iso6', 'iso7', 'iso8', 'iso9', 'isoa', 'isob', 'isoc'],
  ...['mp41', 'mp42', 'mp71', 'avc1', 'hvc1', 'av01', 'mmp4', 'MSNV', 'M4V ', 'M4VH', 'M4VP', 'F4V '],
  ...['dash', 'msdh', 'msix', 'cmfc', 'cmff', 'cmfs', 'cmf2', 'piff', 'NDSC', 'NDSM', 'NDSH', 'NDSP'],
]);

/** Kinds of their own in the same container; as major brand none of them is an MP4. */
const OTHER_KINDS: readonly (readonly [RegExp, string])[] = [
  [/^qt {2}$/, 'video/quicktime'],
  [/^(avif|avis|avio)$/, 'image/avif'],
  [/^(hei[cxms]|hev[cxms])$/, 'image/heic'],
  [/^(mif[12]|msf1|miaf|MiHE|MiHB)$/, 'image/heif'],
  [/^(M4A|M4B|M4P|F4A|F4B) $/, 'audio/mp4'],
  [/^F4P $/, 'video/mp4; protected'],
  [/^crx $/, 'image/x-canon-cr3'],
  [/^(jp2|jpm|jpx) $|^mjp2$/, 'image/jp2'],
];

function judgeBrands({ major, compatible }: Brands): HeadFinding {
  if (MP4_BRANDS.has(major)) return FITS;
  if (!/^[ -~]{4}$/.test(major)) return differs();
  const other = OTHER_KINDS.find(([pattern]) => pattern.test(major));
  if (other) return differs(other[1]);
  // What ffmpeg calls 3GP also names isom; phones that put a 3GP brand on an MP4 name mp41 or mp42.
  if (/^3g/.test(major)) {
    return compatible.some((brand) => brand === 'mp41' || brand === 'mp42') ? FITS : differs('video/3gpp');
  }
  const otherCompatible = OTHER_KINDS.find(([pattern]) => compatible.some((brand) => pattern.test(brand)));
  if (otherCompatible) return differs(otherCompatible[1]);
  return compatible.some((brand) => MP4_BRANDS.has(brand)) ? FITS : differs();
}

interface Brands {
  readonly major: string;
  readonly compatible: readonly string[];
}

function brandsOf(head: Buffer): Brands | null {
  if (head.length < 16 || head.toString('latin1', 4, 8) !== 'ftyp') return null;
  const size = head.readUInt32BE(0);
  if (size < 16 || size > MAX_FTYP_BYTES || size % 4 !== 0) return null;
  const compatible: string[] = [];
  for (let at = 16; at + 4 <= Math.min(size, head.length); at += 4) {
    compatible.push(head.toString('latin1', at, at + 4));
  }
  // Some writers fill up with zeros instead of blanks.
  return { major: head.toString('latin1', 8, 12).replaceAll('\0', ' '), compatible };
}

/** Real ones are 20 to 60 bytes. */
const MAX_FTYP_BYTES = 4096;

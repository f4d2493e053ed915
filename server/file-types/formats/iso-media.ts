/** The brands of a file type box (ISO/IEC 14496-12 section 4.3; mp4ra.org lists them). */
export interface Brands {
  readonly major: string;
  readonly compatible: readonly string[];
}

/** Real boxes are 20 to 60 bytes long. */
const MAX_FTYP_BYTES = 4096;

export function readBrands(bytes: Buffer): Brands | null {
  if (bytes.length < 16 || bytes.toString('latin1', 4, 8) !== 'ftyp') return null;
  const size = bytes.readUInt32BE(0);
  if (size < 16 || size > MAX_FTYP_BYTES || size % 4 !== 0) return null;
  const compatible: string[] = [];
  for (let at = 16; at + 4 <= Math.min(size, bytes.length); at += 4) {
    compatible.push(bytes.toString('latin1', at, at + 4));
  }
  // Some writers fill up with zeros instead of blanks.
  return { major: bytes.toString('latin1', 8, 12).replaceAll('\0', ' '), compatible };
}

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

export function isMp4Brand(major: string): boolean {
  return MP4_BRANDS.has(major);
}

/** The kind of a file with these brands. The major brand decides; one that is not known here needs known ones beside it. */
export function kindOfBrands({ major, compatible }: Brands): string | null {
  if (isMp4Brand(major)) return 'video/mp4';
  if (!/^[ -~]{4}$/.test(major)) return null;
  const other = OTHER_KINDS.find(([pattern]) => pattern.test(major));
  if (other) return other[1];
  // What ffmpeg calls 3GP also names isom; phones that put a 3GP brand on an MP4 name mp41 or mp42.
  if (/^3g/.test(major)) {
    return compatible.some((brand) => brand === 'mp41' || brand === 'mp42') ? 'video/mp4' : 'video/3gpp';
  }
  const otherCompatible = OTHER_KINDS.find(([pattern]) => compatible.some((brand) => pattern.test(brand)));
  if (otherCompatible) return otherCompatible[1];
  return compatible.some((brand) => MP4_BRANDS.has(brand)) ? 'video/mp4' : null;
}

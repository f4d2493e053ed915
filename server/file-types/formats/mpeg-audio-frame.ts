/** One frame header of MPEG audio: ISO/IEC 11172-3 section 2.4.2.3 and 13818-3 (low sampling rates). */
export interface AudioFrame {
  readonly version: 1 | 2 | 2.5;
  readonly layer: 1 | 2 | 3;
  readonly sampleRate: number;
  readonly lengthBytes: number;
}

const BITRATES_KBPS: Readonly<Record<string, readonly number[]>> = {
  '1/1': [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  '1/2': [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  '1/3': [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  '2/1': [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  '2/2': [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const SAMPLE_RATES_HZ = [44100, 48000, 32000];
const VERSIONS = [2.5, null, 2, 1] as const;
const LAYERS = [null, 3, 2, 1] as const;

/** Null for what is no header, and for free format (bitrate index 0), whose length no header tells. */
export function readAudioFrame(bytes: Buffer, at: number): AudioFrame | null {
  if (at + 4 > bytes.length) return null;
  const header = bytes.readUInt32BE(at);
  const version = VERSIONS[(header >>> 19) & 3];
  const layer = LAYERS[(header >>> 17) & 3];
  if (header >>> 21 !== 0x7ff || !version || !layer) return null;
  const row = version === 1 ? `1/${layer}` : layer === 1 ? '2/1' : '2/2';
  const bitrate = BITRATES_KBPS[row]?.[((header >>> 12) & 15) - 1];
  const baseRate = SAMPLE_RATES_HZ[(header >>> 10) & 3];
  if (!bitrate || !baseRate) return null;
  const sampleRate = version === 1 ? baseRate : version === 2 ? baseRate / 2 : baseRate / 4;
  const padding = (header >>> 9) & 1;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 1 ? 576 : 1152;
  const lengthBytes =
    layer === 1
      ? (Math.floor((12 * bitrate * 1000) / sampleRate) + padding) * 4
      : Math.floor((samples / 8) * ((bitrate * 1000) / sampleRate)) + padding;
  return { version, layer, sampleRate, lengthBytes };
}

/** AAC in ADTS (ISO/IEC 13818-7 section 6.2) has the same sync word and the layer bits at zero. */
export function isAdtsFrame(bytes: Buffer, at: number): boolean {
  return at + 2 <= bytes.length && (bytes.readUInt16BE(at) & 0xfff6) === 0xfff0;
}

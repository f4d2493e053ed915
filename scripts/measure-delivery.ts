// Compares the verdicts for WhatsApp with labels by ffprobe: `node scripts/measure-delivery.ts FOLDER`, for the numbers of docs/delivery.md.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assessDelivery } from '../server/delivery/assess.ts';
import { CHANNEL_RULES } from '../server/delivery/channel-rules.ts';
import { createMediaProbe } from '../server/delivery/media-probe.ts';
import { ALL_EXTENSIONS, createTypePolicy } from '../server/file-types/file-types.ts';
import { checkContent } from '../server/file-types/validation.ts';

interface Stream {
  readonly codec_type: string;
  readonly codec_name?: string;
  readonly pix_fmt?: string;
}

const [folder = '.'] = process.argv.slice(2);
const policy = createTypePolicy(ALL_EXTENSIONS);
const counts = { files: 0, right: 0, wrong: 0, unknown: 0 };
let probedMs = 0;
let probedBytes = 0;
for (const filename of readdirSync(folder)) {
  const path = join(folder, filename);
  const bytes = readFileSync(path);
  const checked = await checkContent({
    filename,
    declaredType: null,
    isMultipart: true,
    policy,
    bytes,
    isWhole: true,
  });
  const streams = probe(path);
  if (!checked.ok || streams === null) continue;
  const made = createMediaProbe(checked.type);
  const startedAt = performance.now();
  for (let at = 0; at < bytes.length; at += 65_536) made.update(bytes.subarray(at, at + 65_536));
  probedMs += performance.now() - startedAt;
  probedBytes += bytes.length;
  const { verdict } = assessDelivery('WHATSAPP', [
    { name: filename, size: bytes.length, media: made.media() },
  ]);
  const expected = isDelivered(made.media().kind, checked.type.name, bytes.length, streams)
    ? 'ok'
    : 'unlikely';
  counts.files += 1;
  if (verdict === 'unknown') counts.unknown += 1;
  else if (verdict === expected) counts.right += 1;
  else {
    counts.wrong += 1;
    console.log(`${filename}: ${verdict}, by ffprobe ${expected}`, JSON.stringify(streams));
  }
}
console.log(counts, `${((probedMs * 1e3) / (probedBytes / 1024 ** 2)).toFixed(1)} µs for each MiB`);

function probe(path: string): readonly Stream[] | null {
  try {
    const args = ['-v', 'quiet', '-print_format', 'json', '-show_streams', path];
    return (
      (JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })) as { streams?: Stream[] }).streams ??
      null
    );
  } catch {
    return null;
  }
}

/** Meta's rules, by what ffprobe says. */
function isDelivered(kind: string, format: string, size: number, streams: readonly Stream[]): boolean {
  const rule = CHANNEL_RULES['WHATSAPP']?.kinds?.[kind as 'image'];
  if (!rule?.formats.includes(format) || size > (rule.maxBytes ?? 0)) return false;
  const named = (type: string) =>
    streams.filter((stream) => stream.codec_type === type).map(({ codec_name }) => codec_name);
  const audio = named('audio');
  if (kind === 'image') return !/(48|64|16)[bl]e$|cmyk|gray1[0-6]/.test(streams[0]?.pix_fmt ?? '');
  if (kind === 'video') {
    return (
      named('video').length > 0 &&
      named('video').every((name) => name === 'h264') &&
      audio.length <= 1 &&
      audio.every((name) => name === 'aac')
    );
  }
  return audio.every((name) => /^(aac|mp3|opus|amr_nb)$/.test(name ?? ''));
}

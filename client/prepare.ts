import type { PrepareContext, PrepareFile } from './types.ts';

/** What a browser can decode on its own and re-encode. */
const PICTURES = /^(?:image\/(?:jpeg|png|webp)$)/;
/** Longer sides are scaled down first: no chat shows more. */
const MAX_PIXELS = 4096;
const MAX_TRIES = 6;

/**
 * Runs steps one after the other, each with the result of the one before. A step that fails is skipped.
 *
 * @example
 * ```ts
 * import { createUploader } from 'leadway-bff-client';
 * import { heicToJpeg, prepareWith, renameJfif, shrinkPictures } from 'leadway-bff-client/prepare';
 *
 * const uploader = createUploader({ prepare: prepareWith(renameJfif(), heicToJpeg(), shrinkPictures()) });
 * ```
 */
export function prepareWith(...steps: readonly PrepareFile[]): PrepareFile {
  const prepare = async (file: File, context: PrepareContext): Promise<File> => {
    let current = file;
    for (const step of steps) {
      try {
        current = await step(current, context);
      } catch {
        // The file goes on as it is: the server says what is wrong with it.
      }
      context.signal?.throwIfAborted();
    }
    return current;
  };
  return Object.assign(prepare, { converts: steps.flatMap(({ converts = [] }) => converts) });
}

/**
 * Renames JPEG pictures that end in `.jfif`, `.jpe` or `.pjpeg`, as browsers on Windows save them.
 *
 * @example
 * ```ts
 * import { createUploader } from 'leadway-bff-client';
 * import { renameJfif } from 'leadway-bff-client/prepare';
 *
 * const uploader = createUploader({ prepare: renameJfif() });
 * ```
 */
export function renameJfif(): PrepareFile {
  const step: PrepareFile = (file) =>
    /\.(?:jfif|jpe|pjpeg)$/i.test(file.name) ? toFile(file, file, 'jpg', 'image/jpeg') : file;
  return Object.assign(step, { converts: ['jfif', 'jpe', 'pjpeg'] });
}

/**
 * Converts HEIC and HEIF photos to JPEG. Safari decodes them; for other browsers give a `decode` function, which is
 * called only for such a photo, so that it can load its decoder then.
 *
 * @example
 * ```ts
 * import { createUploader } from 'leadway-bff-client';
 * import { heicToJpeg } from 'leadway-bff-client/prepare';
 *
 * declare function decodeHeic(file: File): Promise<Blob>; // of a decoder of your choice
 * const uploader = createUploader({ prepare: heicToJpeg({ decode: decodeHeic }) });
 * ```
 */
export function heicToJpeg({
  decode,
}: {
  readonly decode?: (file: File) => Promise<Blob>;
} = {}): PrepareFile {
  const step: PrepareFile = async (file) => {
    if (!/\.hei[cf]$/i.test(file.name)) return file;
    const jpeg = await encode(file, 'image/jpeg', 1).catch(async (reason) => {
      if (decode) return decode(file);
      throw reason;
    });
    return toFile(jpeg, file, 'jpg', 'image/jpeg');
  };
  return Object.assign(step, { converts: ['heic', 'heif'] });
}

/**
 * Converts WEBP pictures to JPEG, or to PNG where `type` says so.
 *
 * @example
 * ```ts
 * import { createUploader } from 'leadway-bff-client';
 * import { convertWebp } from 'leadway-bff-client/prepare';
 *
 * const uploader = createUploader({ prepare: convertWebp({ type: 'image/png' }) });
 * ```
 */
export function convertWebp({
  type = 'image/jpeg',
}: {
  readonly type?: 'image/jpeg' | 'image/png';
} = {}): PrepareFile {
  const step: PrepareFile = async (file, { extensions }) => {
    if (!/\.webp$/i.test(file.name) || extensions.includes('webp')) return file;
    return toFile(await encode(file, type, 1), file, type === 'image/png' ? 'png' : 'jpg', type);
  };
  return Object.assign(step, { converts: ['webp'] });
}

/**
 * Shrinks JPEG, PNG and WEBP pictures that are larger than the channel accepts or delivers, until they fit. They are turned the
 * right way up and lose their metadata, the place where they were taken among it.
 *
 * @example
 * ```ts
 * import { createUploader } from 'leadway-bff-client';
 * import { shrinkPictures } from 'leadway-bff-client/prepare';
 *
 * const uploader = createUploader({ prepare: shrinkPictures({ maxBytes: 1_000_000 }) });
 * ```
 */
export function shrinkPictures(options: { readonly maxBytes?: number } = {}): PrepareFile {
  return async (file, context) => {
    const { maxBytes: most, maxPictureBytes = most } = context;
    const maxBytes = Math.min(options.maxBytes ?? most, most, maxPictureBytes);
    if (file.size <= maxBytes || !PICTURES.test(file.type)) return file;
    for (let attempt = 0, scale = 1; attempt < MAX_TRIES; attempt += 1, scale *= 0.7) {
      context.signal?.throwIfAborted();
      const smaller = await encode(file, 'image/jpeg', scale);
      if (smaller.size <= maxBytes) return toFile(smaller, file, 'jpg', 'image/jpeg');
    }
    return file;
  };
}

/**
 * Removes the place from the metadata of JPEG photos, and leaves everything else as it is.
 *
 * @example
 * ```ts
 * import { createUploader } from 'leadway-bff-client';
 * import { removeLocation } from 'leadway-bff-client/prepare';
 *
 * const uploader = createUploader({ prepare: removeLocation() });
 * ```
 */
export function removeLocation(): PrepareFile {
  return async (file) => {
    if (file.type !== 'image/jpeg') return file;
    const bytes = new Uint8Array(await file.arrayBuffer());
    return eraseGps(bytes) ? new File([bytes], file.name, file) : file;
  };
}

/** Erases the GPS directory of a JPEG's Exif data in place. @returns whether there was one. */
function eraseGps(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer);
  // Segments: FF marker, length, content. Exif is an APP1 that begins with "Exif\0\0".
  for (let at = 2; at + 10 < bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda; ) {
    const length = view.getUint16(at + 2);
    const isExif = bytes[at + 1] === 0xe1 && view.getUint32(at + 4) === 0x45786966;
    if (isExif) {
      try {
        return eraseGpsOfTiff(new DataView(bytes.buffer, at + 10, length - 8));
      } catch {
        return false; // the directory points out of the segment
      }
    }
    at += 2 + length;
  }
  return false;
}

function eraseGpsOfTiff(tiff: DataView): boolean {
  const isLittle = tiff.getUint16(0) === 0x4949;
  const sizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
  const directory = tiff.getUint32(4, isLittle);
  for (let index = 0; index < tiff.getUint16(directory, isLittle); index += 1) {
    const entry = directory + 2 + index * 12;
    if (tiff.getUint16(entry, isLittle) !== 0x8825) continue;
    const gps = tiff.getUint32(entry + 8, isLittle);
    const count = tiff.getUint16(gps, isLittle);
    for (let field = gps + 2; field < gps + 2 + count * 12; field += 12) {
      const valueBytes =
        (sizes[tiff.getUint16(field + 2, isLittle)] ?? 1) * tiff.getUint32(field + 4, isLittle);
      const at = valueBytes > 4 ? tiff.getUint32(field + 8, isLittle) : field + 8;
      for (let offset = 0; offset < Math.max(4, valueBytes); offset += 1) tiff.setUint8(at + offset, 0);
      for (let offset = 0; offset < 12; offset += 1) tiff.setUint8(field + offset, 0);
    }
    tiff.setUint16(gps, 0, isLittle);
    return count > 0;
  }
  return false;
}

/** Draws a picture the right way up and encodes it. @throws where the browser can't decode it. */
async function encode(file: Blob, type: string, scale: number): Promise<Blob> {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  try {
    const longest = Math.max(picture.width, picture.height);
    const factor = Math.min(1, MAX_PIXELS / longest) * scale;
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(picture.width * factor));
    canvas.height = Math.max(1, Math.round(picture.height * factor));
    const context = canvas.getContext('2d');
    if (!context) throw new Error('the browser has no canvas');
    if (type === 'image/jpeg') {
      // JPEG has no transparency, which would become black.
      context.fillStyle = '#fff';
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      const done = (blob: Blob | null) =>
        blob ? resolve(blob) : reject(new Error(`no encoder for ${type}`));
      canvas.toBlob(done, type, 0.85);
    });
  } finally {
    picture.close();
  }
}

function toFile(content: Blob, { name, lastModified }: File, extension: string, type: string): File {
  return new File([content], `${name.replace(/\.\w+$/, '')}.${extension}`, { type, lastModified });
}

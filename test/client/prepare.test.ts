import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { prepareWith, removeLocation, renameJfif } from '../../client/prepare.ts';
import type { PrepareContext } from '../../client/types.ts';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openPage } from '../helpers/browser-page.ts';
import { createSite } from '../helpers/site.ts';

const context: PrepareContext = { maxBytes: 1000, extensions: ['jpg', 'png'], signal: undefined };

/** A JPEG whose Exif data has an orientation and a place. */
function photo(): Uint8Array<ArrayBuffer> {
  const tiff = new DataView(new ArrayBuffer(60));
  tiff.setUint16(0, 0x4d4d);
  tiff.setUint16(2, 42);
  tiff.setUint32(4, 8);
  tiff.setUint16(8, 2);
  for (const [at, tag, type, count, value] of [
    [10, 0x0112, 3, 1, 0x00060000], // Orientation 6
    [22, 0x8825, 4, 1, 38], // the GPS directory at 38
  ] as const) {
    tiff.setUint16(at, tag);
    tiff.setUint16(at + 2, type);
    tiff.setUint32(at + 4, count);
    tiff.setUint32(at + 8, value);
  }
  tiff.setUint16(38, 1);
  tiff.setUint16(40, 1); // GPSLatitudeRef
  tiff.setUint16(42, 2);
  tiff.setUint32(44, 2);
  tiff.setUint32(48, 0x4e000000); // N
  const exif = [0x45, 0x78, 0x69, 0x66, 0, 0, ...new Uint8Array(tiff.buffer)];
  return new Uint8Array([0xff, 0xd8, 0xff, 0xe1, 0, exif.length + 2, ...exif, 0xff, 0xda, 0, 0, 1, 2]);
}

describe('the steps that prepare a file', () => {
  it('rename JPEG pictures that Windows calls .jfif', async () => {
    const { name, type } = await renameJfif()(new File(['x'], 'a.b.jfif'), context);
    assert.deepEqual([name, type], ['a.b.jpg', 'image/jpeg']);
    const other = new File(['x'], 'a.png');
    assert.equal(await renameJfif()(other, context), other);
  });

  it('remove the place of a photo, and nothing else', async () => {
    const before = photo();
    const cleaned = await removeLocation()(new File([before], 'a.jpg', { type: 'image/jpeg' }), context);
    const after = new Uint8Array(await cleaned.arrayBuffer());
    assert.equal(after.length, before.length);
    const changed = [...after.keys()].filter((at) => after[at] !== before[at]);
    const gps = 12 + 38; // behind the JPEG and Exif headers
    assert(changed.length > 0 && changed.every((at) => at >= gps && at < gps + 14), changed.join());
    assert(!after.includes(0x4e), 'the latitude is gone');
    const again = await removeLocation()(cleaned, context);
    assert.equal(again, cleaned, 'there is nothing left to remove');
  });

  it('are skipped when they fail, and stop when the upload is cancelled', async () => {
    const fail = () => Promise.reject(new Error('broken'));
    const { name } = await prepareWith(fail, renameJfif())(new File(['x'], 'a.jfif'), context);
    assert.equal(name, 'a.jpg');
    const signal = AbortSignal.abort(new Error('enough'));
    const cancelled = prepareWith(renameJfif())(new File(['x'], 'a.jfif'), { ...context, signal });
    await assert.rejects(async () => cancelled, { message: 'enough' });
    assert.deepEqual(prepareWith(renameJfif(), fail).converts, ['jfif', 'jpe', 'pjpeg']);
  });
});

describeInBrowsers('pictures in the browser', (browser) => {
  it('are shrunk until they fit, and converted from WEBP', async () => {
    const entry = fileURLToPath(new URL('../../client/prepare.ts', import.meta.url));
    const bundled = await rolldown({ input: entry, tsconfig: false });
    const { output } = await bundled.generate({ format: 'es' });
    await bundled.close();
    await using site = await createSite();
    site.files.set('/prepare.js', ['text/javascript', output[0].code]);
    site.files.set('/', [
      'text/html',
      '<!doctype html><title>Pictures</title><link rel="icon" href="data:,">',
    ]);
    await using opened = await openPage(browser(), `${site.origin}/`);
    const results = await opened.page.evaluate(`(async () => {
      const { shrinkPictures, convertWebp } = await import('/prepare.js');
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 500;
      const context = canvas.getContext('2d');
      const noise = context.createImageData(500, 500);
      for (let at = 0; at < noise.data.length; at += 1) noise.data[at] = at % 4 === 3 ? 255 : Math.random() * 255;
      context.putImageData(noise, 0, 0);
      const draw = (type, name) => new Promise((resolve) =>
        canvas.toBlob((blob) => resolve(new File([blob], name, { type: blob.type })), type));
      const png = await draw('image/png', 'noise.png');
      const maxBytes = 100000;
      const small = await shrinkPictures()(png, { maxBytes, extensions: ['jpg'] });
      const same = await shrinkPictures()(png, { maxBytes: 1e9, extensions: ['jpg'] });
      const webp = await draw('image/webp', 'a.webp');
      const jpeg = await convertWebp()(webp, { maxBytes, extensions: ['jpg'] });
      return [png.size > maxBytes, small.size <= maxBytes, small.name, small.type, same === png, jpeg.name];
    })()`);
    assert.deepEqual(results, [true, true, 'noise.jpg', 'image/jpeg', true, 'a.jpg']);
  });
});

import { extensionOf } from '../file-check.ts';
import { create, createIcon } from './dom.ts';
import { type FileTypes, iconOf } from './kinds.ts';

/** Side of the picture, in pixels of a fine screen. */
const SIDE = 128;

/** What a file is, at a glance: the picture itself where it is one, else an icon and the extension. */
export function createThumbnail(file: File, types: FileTypes | undefined): HTMLElement {
  const extension = extensionOf(file.name);
  const icon = iconOf(file, types);
  const face = create(
    'div',
    { part: 'face', 'aria-hidden': 'true' },
    createIcon(icon),
    create('span', { part: 'extension' }, extension.slice(0, 5)),
  );
  if (icon === 'image') void drawPicture(face, file);
  const badge = create('div', { part: 'badge' }, createIcon('check'));
  return create('div', { part: 'thumbnail' }, face, badge);
}

/** By a canvas: no URL to revoke, no megapixels kept, and nothing that the page's policy would have to allow. */
async function drawPicture(face: HTMLElement, file: File): Promise<void> {
  const picture = await globalThis.createImageBitmap?.(file).catch(() => null);
  if (!picture) return; // a picture by its name only, or no browser
  const canvas = create('canvas', { part: 'picture', width: String(SIDE), height: String(SIDE) });
  const scale = SIDE / Math.min(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const context = canvas.getContext('2d');
  if (context) {
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
    face.append(canvas);
  }
  picture.close();
}

import { find, setIcon } from './elements.ts';

/** Side of the picture on a stamp, in pixels of a fine screen. */
const SIDE = 128;

const ICONS: Readonly<Record<string, string>> = {
  jpg: 'picture',
  jpeg: 'picture',
  png: 'picture',
  mp4: 'film',
  mpeg: 'film',
  mpg: 'film',
  mp3: 'sound',
  wav: 'sound',
  zip: 'archive',
  rar: 'archive',
  pdf: 'document',
  doc: 'document',
  docx: 'document',
  txt: 'document',
  vcf: 'contact',
};

/** Draws what a file is on its stamp: the picture itself where it is one, else an icon and the extension. */
export function drawStamp(stamp: HTMLElement, file: File): void {
  const extension = (/\.([^.]{1,5})$/.exec(file.name)?.[1] ?? '').toLowerCase();
  setIcon(find(stamp, '.icon', SVGSVGElement), ICONS[extension] ?? 'unknown');
  find(stamp, '.stamp-type', HTMLElement).textContent = extension;
  if (ICONS[extension] === 'picture') void drawPicture(stamp, file);
}

/** By a canvas: no URL to revoke, no megapixels kept, and nothing that the page's policy had to allow. */
async function drawPicture(stamp: HTMLElement, file: File): Promise<void> {
  const picture = await createImageBitmap(file).catch(() => null);
  if (picture === null) return; // a picture by its name only
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const scale = SIDE / Math.min(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
  picture.close();
  find(stamp, '.stamp-face', HTMLElement).append(canvas);
}

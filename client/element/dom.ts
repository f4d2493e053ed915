type Attributes = Readonly<Record<string, string>>;

/**
 * Creates an element; no markup is parsed, so that pages with Trusted Types can use it. What is a part for the styles
 * of the page has the same class for ours, unless it has another one.
 */
export function create<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  return furnish(document.createElement(name), attributes, ...children);
}

function furnish<E extends Element>(element: E, attributes: Attributes, ...children: (Node | string)[]): E {
  const { part } = attributes;
  for (const [name, value] of Object.entries({ ...(part && { class: part }), ...attributes })) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Creates a button with an icon, and a word where `hasWord`. */
export function createButton(attributes: Attributes, icon?: IconName, hasWord = true): HTMLButtonElement {
  const button = create('button', { type: 'button', ...attributes });
  if (icon) button.append(createIcon(icon));
  if (hasWord) button.append(create('span'));
  return button;
}

/** The drawings; those of files have the names of kinds. */
export const ICON_PATHS = {
  close: 'm6 6 12 12M18 6 6 18',
  retry: 'M19 12a7 7 0 1 1-2.1-5L19 9V4m0 5h-5',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  check: 'm5 12.5 4.5 4.5L19 7',
  pause: 'M8.5 6v12M15.5 6v12',
  resume: 'M8 5.5 18.5 12 8 18.5z',
  attach: 'm20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7L9.4 17a1.7 1.7 0 0 1-2.4-2.4l7.5-7.5',
  camera: 'M4 7h4l1.5-2.5h5L16 7h4v12H4zM12 9.5a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4z',
  folder: 'M4 5.5h5.5l2 2.5H20v11H4z',
  image: 'M4 5h16v14H4zM4 17l5-5 3.5 3.5L16 12l4 4M9 9h.01',
  video: 'M4 5h16v14H4zM8 5v14M16 5v14M4 9.5h4M4 14.5h4M16 9.5h4M16 14.5h4',
  audio: 'M4 10v4M8 7v10M12 4v16M16 8v8M20 10.5v3',
  document: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  zip: 'M4 4h16v5H4zM6 9v11h12V9M10 13h4',
} as const;

/** The icons of the element. */
export type IconName = keyof typeof ICON_PATHS;

const SVG = 'http://www.w3.org/2000/svg';

/** Creates an icon, which screen readers leave out. */
export function createIcon(name: IconName): SVGSVGElement {
  return createDrawing('icon', 24, createSvg('path', { d: ICON_PATHS[name] }));
}

/** Makes an icon show something else. */
export function setIcon(svg: Element, name: IconName): void {
  svg.firstElementChild?.setAttribute('d', ICON_PATHS[name]);
}

/** The ring around a button that shows how much has been sent; `--fraction` says how much. */
export function createRing(): SVGSVGElement {
  const circle = { cx: '22', cy: '22', r: '19' };
  const sent = createSvg('circle', { ...circle, class: 'sent', pathLength: '1' });
  return createDrawing('ring', 44, createSvg('circle', circle), sent);
}

function createDrawing(part: string, side: number, ...shapes: readonly SVGElement[]): SVGSVGElement {
  return createSvg('svg', { part, viewBox: `0 0 ${side} ${side}`, 'aria-hidden': 'true' }, ...shapes);
}

function createSvg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes,
  ...children: readonly SVGElement[]
): SVGElementTagNameMap[K] {
  return furnish(document.createElementNS(SVG, name), attributes, ...children);
}

/** Writes `text` only where it differs, which leaves selections and screen readers alone. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

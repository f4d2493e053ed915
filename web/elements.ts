/** The only element below `root` that `selector` finds, as an instance of `type`; a `TypeError` when it isn't. */
export function find<T extends Element>(root: ParentNode, selector: string, type: new () => T): T {
  const element = root.querySelector(selector);
  if (element instanceof type) return element;
  throw new TypeError(`the page has no ${type.name} ${selector}`);
}

/** A copy of what the template with that id holds. */
export function cloneTemplate(id: string): HTMLElement {
  const template = find(document, `template#${id}`, HTMLTemplateElement);
  const copy = document.importNode(template.content, true).firstElementChild;
  if (copy instanceof HTMLElement) return copy;
  throw new TypeError(`the template ${id} is empty`);
}

/** Lets `svg` show the icon of that name from the sprite in the page. */
export function setIcon(svg: SVGElement, name: string): void {
  svg.querySelector('use')?.setAttribute('href', `#icon-${name}`);
}

/** Writes `text` only where it differs, so that screen readers and selections are left in peace. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

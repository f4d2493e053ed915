/** Attributes that are strings. */
export const STRINGS = [
  'endpoint',
  'conversation',
  'contact',
  'location',
  'channel',
  'mode',
  'accept',
  'area',
  'name',
] as const;
/** Attributes that are there or not. */
export const BOOLEANS = ['multiple', 'disabled', 'required', 'details', 'compact'] as const;

// Node knows no elements: importing this there is harmless, and only browsers define the element.
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as unknown as typeof HTMLElement);

/** An element with a property for each of its attributes. */
export class AttributeElement extends Base {
  /** Base path or URL of the API. Default `/api`. */
  declare endpoint: string;
  /** What the files are for, as the options of an upload say. */
  declare conversation: string;
  declare contact: string;
  declare location: string;
  declare channel: string;
  declare mode: string;
  /** What of the server's types is wanted here, as in a file input: `image/*,.pdf`. Default all. */
  declare accept: string;
  /** CSS selector of the drop and paste area, such as `body`. Default the element itself. */
  declare area: string;
  /** Under which a form sends the URLs. */
  declare name: string;
  /** Whether more than one file is taken; otherwise the next one replaces the last. */
  declare multiple: boolean;
  declare disabled: boolean;
  declare required: boolean;
  /** Shows URLs, modes, codes and times, for developers. */
  declare details: boolean;
  /** Only a button and the list, for narrow places such as a chat composer. */
  declare compact: boolean;

  static {
    const define = (
      name: string,
      get: (this: HTMLElement) => unknown,
      set: (this: HTMLElement, value: never) => void,
    ) =>
      Object.defineProperty(AttributeElement.prototype, name, {
        get,
        set,
        configurable: true,
        enumerable: true,
      });
    for (const name of STRINGS) {
      define(
        name,
        function () {
          return this.getAttribute(name) ?? '';
        },
        function (value: string | null | undefined) {
          if (value) this.setAttribute(name, value);
          else this.removeAttribute(name);
        },
      );
    }
    for (const name of BOOLEANS) {
      define(
        name,
        function () {
          return this.hasAttribute(name);
        },
        function (value: boolean | '' | null | undefined) {
          // React sets attributes without a value as empty strings.
          this.toggleAttribute(name, value === '' || Boolean(value));
        },
      );
    }
  }

  /** At most this many files, with `multiple`. Default no limit. */
  get max(): number | undefined {
    return Number.parseInt(this.getAttribute('max') ?? '', 10) || undefined;
  }

  set max(value: number | undefined) {
    if (value) this.setAttribute('max', String(value));
    else this.removeAttribute('max');
  }
}

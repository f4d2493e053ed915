import { AttributeElement } from './attributes.ts';
import type { UploadTexts } from './texts.ts';

/** What the element is to its form: its validity, and the URLs that are sent. */
export class FormControlElement extends AttributeElement {
  static readonly formAssociated = true;
  // jsdom and happy-dom, in which the tests of an app run, have some of this or nothing.
  protected readonly internals = (this.attachInternals?.() ?? {}) as Partial<ElementInternals>;
  #urls = '';

  get form(): HTMLFormElement | null {
    return this.internals.form ?? null;
  }

  get labels(): NodeList {
    return this.internals.labels as NodeList;
  }

  get validity(): ValidityState {
    return this.internals.validity as ValidityState;
  }

  get validationMessage(): string {
    return this.internals.validationMessage ?? '';
  }

  get willValidate(): boolean {
    return !!this.internals.willValidate;
  }

  checkValidity(): boolean {
    return this.internals.checkValidity?.() ?? true;
  }

  reportValidity(): boolean {
    return this.internals.reportValidity?.() ?? true;
  }

  /** For `:state()` in the styles of the page. */
  protected setStates(states: Readonly<Record<string, boolean>>): void {
    for (const [name, isOn] of Object.entries(states)) {
      try {
        this.internals.states?.[isOn ? 'add' : 'delete'](name);
      } catch {
        // Browsers of before 2024 know other names only.
      }
    }
  }

  /** Sets the URLs that the form sends, and keeps it from being sent while files upload. */
  protected setFormUrls(
    urls: readonly string[],
    isUploading: boolean,
    texts: UploadTexts,
    anchor: HTMLElement,
  ): void {
    const { name, required, internals } = this;
    const data = new FormData();
    for (const url of urls) data.append(name, url);
    internals.setFormValue?.(name ? data : null);
    const customError = isUploading;
    const valueMissing = !isUploading && required && !urls.length;
    const message = isUploading ? texts.stillUploading : valueMissing ? texts.required : '';
    internals.setValidity?.({ customError, valueMissing }, message, anchor);
    const now = urls.join();
    if (now === this.#urls) return;
    this.#urls = now;
    for (const type of ['input', 'change']) this.dispatchEvent(new Event(type, { bubbles: true }));
  }
}

import { AttributeElement } from './attributes.ts';
import type { UploadTexts } from './texts.ts';

/** What the element is to its form: its validity, and the URLs that are sent. */
export class FormControlElement extends AttributeElement {
  static readonly formAssociated = true;
  protected readonly internals = this.attachInternals();
  #urls = '';

  get form(): HTMLFormElement | null {
    return this.internals.form;
  }

  get labels(): NodeList {
    return this.internals.labels;
  }

  get validity(): ValidityState {
    return this.internals.validity;
  }

  get validationMessage(): string {
    return this.internals.validationMessage;
  }

  get willValidate(): boolean {
    return this.internals.willValidate;
  }

  checkValidity(): boolean {
    return this.internals.checkValidity();
  }

  reportValidity(): boolean {
    return this.internals.reportValidity();
  }

  /** For `:state()` in the styles of the page. */
  protected setStates(states: Readonly<Record<string, boolean>>): void {
    for (const [name, isOn] of Object.entries(states)) {
      try {
        this.internals.states[isOn ? 'add' : 'delete'](name);
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
    internals.setFormValue(name ? data : null);
    if (isUploading) internals.setValidity({ customError: true }, texts.stillUploading, anchor);
    else if (required && !urls.length) internals.setValidity({ valueMissing: true }, texts.required, anchor);
    else internals.setValidity({});
    const now = urls.join();
    if (now === this.#urls) return;
    this.#urls = now;
    for (const type of ['input', 'change']) this.dispatchEvent(new Event(type, { bubbles: true }));
  }
}

import { createUploadStore, type ItemOptions, type StoreTotals, type UploadItem } from '../store.ts';
import type { ClientConfig, Uploader, UploaderOptions, UploadOptions, UploadResult } from '../types.ts';
import { UploadError } from '../upload-error.ts';
import { createUploader } from '../uploader.ts';
import { hasEnded } from './describe-item.ts';
import { listenForFiles } from './drop-area.ts';
import { type FoundFiles, readFolder } from './dropped-files.ts';
import { formatBytes } from './formats.ts';
import { describeKinds, extensionsOf, isAccepted } from './kinds.ts';
import { STYLES } from './styles.ts';
import { type Language, TEXTS, type UploadTexts } from './texts.ts';
import { createView, type View, type ViewState } from './view.ts';

/**
 * The events of the element; they bubble. `change` and `input` come when `value` has changed.
 *
 * @example
 * ```ts
 * import type { LeadwayUploadEventMap } from 'leadway-bff-client/element';
 *
 * const log = ({ detail }: LeadwayUploadEventMap['upload-error']) => console.warn(detail.item.error?.code);
 * document.querySelector('leadway-upload')!.addEventListener('upload-error', log);
 * ```
 */
export interface LeadwayUploadEventMap {
  /** Files have come into the list. */
  'upload-add': CustomEvent<{ readonly items: readonly UploadItem[] }>;
  'upload-progress': CustomEvent<StoreTotals>;
  'upload-done': CustomEvent<{ readonly item: UploadItem; readonly result: UploadResult }>;
  'upload-error': CustomEvent<{ readonly item: UploadItem; readonly error: UploadError }>;
  /** Nothing is in flight any more; `results` are those of the files in the list that have arrived. */
  'upload-end': CustomEvent<{ readonly results: readonly UploadResult[] }>;
}

const STRINGS = [
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
const BOOLEANS = ['multiple', 'disabled', 'required', 'details', 'compact'] as const;
/** What may have been set before the element was defined. */
const PROPERTIES = [...STRINGS, ...BOOLEANS, 'max', 'texts', 'options', 'uploader'] as const;
/** How often waiting times are counted down. */
const TICK_MS = 500;

// Node knows no elements: importing this there is harmless, and only browsers define the element.
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as unknown as typeof HTMLElement);
let sheet: CSSStyleSheet | undefined;

/**
 * `<leadway-upload>`: an upload area and the list of its files, as a form control. `value`, and what a form
 * sends under `name`, are the URLs of the files that have arrived.
 *
 * @example
 * ```ts
 * import 'leadway-bff-client/element';
 *
 * const upload = document.createElement('leadway-upload');
 * upload.conversation = 'sandboxConversation01';
 * upload.contact = 'sandboxContact01';
 * upload.multiple = true;
 * upload.addEventListener('upload-done', ({ detail }) => console.log(detail.result.url));
 * document.body.append(upload);
 * ```
 */
export class LeadwayUpload extends Base {
  static readonly formAssociated = true;
  static readonly observedAttributes = ['endpoint', 'channel', 'accept', 'area', 'name', 'lang', ...BOOLEANS];

  /** Base path or URL of the API. Default `/api`. */
  declare endpoint: string;
  /** What the files are for, as {@link UploadOptions} says. */
  declare conversation: string;
  declare contact: string;
  declare location: string;
  declare channel: string;
  declare mode: string;
  /** What of the server's types is wanted here, as in a file input: `image/*,.pdf`. Default all. */
  declare accept: string;
  /** CSS selector of what takes drops and pastes, such as `body`. Default the element itself. */
  declare area: string;
  /** Under which a form sends the URLs. */
  declare name: string;
  /** Whether more than one file is taken; otherwise the next one takes the place of the last. */
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
      get: (this: LeadwayUpload) => unknown,
      set: (this: LeadwayUpload, value: never) => void,
    ) =>
      Object.defineProperty(LeadwayUpload.prototype, name, {
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

  readonly #internals = this.attachInternals();
  readonly #store = createUploadStore({
    upload: ((file: File, options: UploadOptions) => this.#upload(file, options)) as Uploader['upload'],
  });
  readonly #view: View;
  #options: Omit<UploaderOptions, 'endpoint'> = {};
  #uploader: Uploader | undefined;
  #ownUploader: Uploader | undefined;
  #config: ClientConfig | undefined;
  #configError = '';
  #texts: Partial<UploadTexts> = {};
  #state: ViewState | undefined;
  #items = new Map<string, UploadItem>();
  #value = '';
  #isPaused = false;
  #isConnecting = false;
  #isFormDisabled = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #settling: (() => void)[] = [];
  #languageObserver: MutationObserver | undefined;
  #endListening: (() => void) | undefined;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLES);
    }
    root.adoptedStyleSheets = [sheet];
    this.#view = createView({
      choose: (files, isFolder) => this.#take(isFolder ? readFolder(files) : { files }),
      act: (id, action) => this.#store[action](id),
      pause: () => this.#pause(!this.#isPaused),
      endAll: () => this.#endAll(),
    });
    root.append(this.#view.root);
    this.#store.subscribe(() => this.#update());
    // A label gives its clicks to the control.
    this.addEventListener('click', (event) => {
      if (event.composedPath()[0] === this) this.focus();
    });
  }

  /** At most this many files, with `multiple`. Default no limit. */
  get max(): number | undefined {
    return Number.parseInt(this.getAttribute('max') ?? '', 10) || undefined;
  }

  set max(value: number | undefined) {
    if (value) this.setAttribute('max', String(value));
    else this.removeAttribute('max');
  }

  /** Texts in place of the usual ones. */
  get texts(): Partial<UploadTexts> {
    return this.#texts;
  }

  set texts(texts: Partial<UploadTexts> | undefined) {
    this.#texts = texts ?? {};
    this.#refresh();
  }

  /** Settings of the uploader, such as `headers`; to be set before the first file. */
  get options(): Omit<UploaderOptions, 'endpoint'> {
    return this.#options;
  }

  set options(options: Omit<UploaderOptions, 'endpoint'> | undefined) {
    if (options === this.#options) return;
    this.#options = options ?? {};
    this.#reconnect();
  }

  /** The uploader: one of the page's own, to share its queue, or the element's. */
  get uploader(): Uploader {
    if (this.#uploader) return this.#uploader;
    const { endpoint } = this;
    const options = { ...this.#options, ...(endpoint && { endpoint }) };
    const { language } = options;
    Object.defineProperty(options, 'language', { get: () => language ?? this.#language });
    this.#ownUploader ??= createUploader(options);
    return this.#ownUploader;
  }

  set uploader(uploader: Uploader | undefined) {
    if (uploader === this.#uploader) return;
    this.#uploader = uploader;
    this.#reconnect();
  }

  /** The files of the list; a new array after each change. */
  get items(): readonly UploadItem[] {
    return this.#store.getSnapshot();
  }

  /** The URLs of the files that have arrived. Setting it removes the files whose URL it does not have. */
  get value(): string[] {
    return this.#results().map(({ url }) => url);
  }

  set value(urls: Iterable<string> | null | undefined) {
    const kept = new Set(urls ?? []);
    for (const { id, result } of this.items) if (!result || !kept.has(result.url)) this.#store.remove(id);
  }

  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }

  get labels(): NodeList {
    return this.#internals.labels;
  }

  get validity(): ValidityState {
    return this.#internals.validity;
  }

  get validationMessage(): string {
    return this.#internals.validationMessage;
  }

  get willValidate(): boolean {
    return this.#internals.willValidate;
  }

  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }

  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }

  /** Adds files and uploads them, as if they had been chosen; `changes` differ from what the attributes say. */
  add(files: File | Iterable<File>, changes: Partial<ItemOptions> = {}): UploadItem[] {
    let list = files instanceof File ? [files] : [...files];
    this.#view.notify('');
    if (this.multiple) {
      const taken = this.items.filter(({ state }) => state !== 'failed' && state !== 'cancelled').length;
      const room = Math.max(0, (this.max ?? Number.POSITIVE_INFINITY) - taken);
      if (list.length > room) this.#view.notify(this.#speech.tooMany(this.max ?? 1));
      list = list.slice(0, room);
    } else {
      if (list.length > 1) this.#view.notify(this.#speech.tooMany(1));
      list = list.slice(0, 1);
      if (list.length) this.#store.clear();
    }
    if (!list.length) return [];
    if (!this.#config) this.#connectSoon();
    const { conversation, contact, location, channel, mode } = this;
    const options: ItemOptions = {
      conversationId: conversation || undefined,
      contactId: contact || undefined,
      locationId: location || undefined,
      channel: channel || undefined,
      mode: (mode || undefined) as ItemOptions['mode'],
      ...changes,
    };
    const added = this.#store.add(list, options);
    this.#view.say(this.#speech.saidAdded(added.length));
    return added;
  }

  cancel(id: string): void {
    this.#store.cancel(id);
  }

  retry(id: string): void {
    this.#store.retry(id);
  }

  /** Takes a file off the list, and its URL off `value`. */
  discard(id: string): void {
    this.#store.remove(id);
  }

  /** Empties the list and cancels what is in flight. */
  clear(): void {
    this.#store.clear();
  }

  /** Opens the file chooser; browsers want a click or a key for that. */
  showPicker(): void {
    this.#view.showPicker();
  }

  /** Resolves with what has arrived as soon as nothing is in flight. */
  async settled(): Promise<UploadResult[]> {
    if (this.#inFlight().length) await new Promise<void>((resolve) => this.#settling.push(resolve));
    return this.#results();
  }

  override focus(options?: FocusOptions): void {
    this.#view.browse.focus(options);
  }

  override addEventListener<K extends keyof LeadwayUploadEventMap>(
    type: K,
    listener: (this: LeadwayUpload, event: LeadwayUploadEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (this: HTMLElement, event: HTMLElementEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
  }

  connectedCallback(): void {
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      Reflect.deleteProperty(this, name);
      Object.assign(this, { [name]: value });
    }
    this.#languageObserver = new MutationObserver(() => this.#refresh());
    this.#languageObserver.observe(document.documentElement, { attributeFilter: ['lang'] });
    this.#listen();
    this.#refresh();
    this.#update();
    this.#connectSoon();
  }

  disconnectedCallback(): void {
    this.#languageObserver?.disconnect();
    this.#endListening?.();
    queueMicrotask(() => {
      // It may only have been moved.
      if (!this.isConnected) for (const { id } of this.#inFlight()) this.#store.cancel(id);
    });
  }

  attributeChangedCallback(name: string): void {
    if (!this.isConnected) return;
    if (name === 'endpoint') this.#reconnect();
    if (name === 'area') this.#listen();
    this.#refresh();
    this.#update();
  }

  formResetCallback(): void {
    this.#store.clear();
  }

  formDisabledCallback(isDisabled: boolean): void {
    this.#isFormDisabled = isDisabled;
    this.#refresh();
  }

  get #language(): Language {
    const given = this.closest<HTMLElement>('[lang]')?.lang || navigator.language;
    return /^es\b/i.test(given) ? 'es' : 'en';
  }

  get #speech(): UploadTexts {
    return { ...TEXTS[this.#language], ...this.#texts };
  }

  get #isDisabled(): boolean {
    return this.disabled || this.#isFormDisabled;
  }

  #results(): UploadResult[] {
    return this.items.flatMap(({ result }) => result ?? []);
  }

  #inFlight(): UploadItem[] {
    return this.items.filter((item) => !hasEnded(item));
  }

  #upload(file: File, options: UploadOptions): Promise<UploadResult> {
    const { accept } = this;
    if (isAccepted(accept, file)) return this.uploader.upload(file, options);
    const extensions = this.#config ? extensionsOf(this.#config, accept) : [];
    const kinds = describeKinds(extensions, this.#speech, this.#language);
    const message = this.#speech.notAccepted(kinds);
    return Promise.reject(new UploadError('TYPE_NOT_ALLOWED', message, { status: 415, retryable: false }));
  }

  #take({ files, cutAt }: FoundFiles): void {
    if (this.#isDisabled) return;
    this.add(files);
    if (cutAt) this.#view.notify(this.#speech.folderCut(cutAt));
  }

  #listen(): void {
    this.#endListening?.();
    const { area } = this;
    const found = area && (this.closest(area) ?? (this.getRootNode() as ParentNode).querySelector(area));
    this.#endListening = listenForFiles(
      found || this,
      (files) => this.#take(files),
      (isOver) => this.#view.root.classList.toggle('over', isOver && !this.#isDisabled),
    );
  }

  /** Forgets what is known of the server, which is another one now. */
  #reconnect(): void {
    this.#ownUploader = undefined;
    this.#config = undefined;
    this.#connectSoon();
  }

  /** Not at once: frameworks set the properties of an element right after they have put it into the page. */
  #connectSoon(): void {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    queueMicrotask(() => {
      this.#isConnecting = false;
      if (this.isConnected && !this.#config) void this.#connect();
    });
  }

  async #connect(): Promise<void> {
    const { uploader } = this;
    try {
      const config = await uploader.config();
      if (uploader !== this.uploader) return;
      this.#config = config;
      this.#configError = '';
    } catch (error) {
      this.#configError = (error as Error).message;
    }
    this.#refresh();
  }

  #pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (isPaused) this.uploader.pause();
    else this.uploader.resume();
    this.#refresh();
  }

  #endAll(): void {
    const inFlight = this.#inFlight();
    for (const { id } of inFlight) this.#store.cancel(id);
    if (!inFlight.length) this.#store.clear();
  }

  /** Shows everything anew, after something else than the list has changed. */
  #refresh(): void {
    const { accept, channel, area, details, multiple } = this;
    const language = this.#language;
    const texts = this.#speech;
    const config = this.#config;
    const extensions = config ? extensionsOf(config, accept) : [];
    const kinds = describeKinds(extensions, texts, language);
    this.#state = {
      texts,
      language,
      isPaused: this.#isPaused,
      hasDetails: details,
      isMultiple: multiple,
      isDisabled: this.#isDisabled,
      accept: accept || extensions.map((extension) => `.${extension}`).join(),
      takesPictures: extensions.includes('jpg') || extensions.includes('jpeg'),
      coversPage: area === 'body',
      limits: config
        ? texts.limits(kinds, formatBytes(maxBytesOf(config, channel), language))
        : this.#configError,
      isWrong: !config && this.#configError !== '',
    };
    this.#internals.role = 'group';
    this.#internals.ariaLabel = texts.heading(multiple);
    this.#view.show(this.items, this.#state);
  }

  /** Follows the list: shows it, dispatches events, and tells the form. */
  #update(): void {
    const { items } = this;
    const before = this.#items;
    this.#items = new Map(items.map((item) => [item.id, item]));
    if (this.#state) this.#view.show(items, this.#state);
    const inFlight = this.#inFlight();
    const wasInFlight = [...before.values()].some((item) => !hasEnded(item));

    const added = items.filter(({ id }) => !before.has(id));
    if (added.length) this.#dispatch('upload-add', { items: added });
    for (const item of items) {
      const { state, result, error } = item;
      if (before.get(item.id)?.state === state) continue;
      if (result) this.#dispatch('upload-done', { item, result });
      if (error) this.#dispatch('upload-error', { item, error });
    }
    if (items.length) this.#dispatch('upload-progress', this.#store.getTotals());
    this.#setStates({ empty: !items.length, uploading: inFlight.length > 0 });
    this.#tellForm(inFlight.length > 0);
    if (inFlight.length) {
      this.#timer ??= setInterval(() => this.#view.tick(), TICK_MS);
    } else {
      clearInterval(this.#timer);
      this.#timer = undefined;
      for (const resolve of this.#settling.splice(0)) resolve();
      if (wasInFlight) this.#dispatch('upload-end', { results: this.#results() });
    }
  }

  /** For `:state()` in the styles of the page. */
  #setStates(states: Readonly<Record<string, boolean>>): void {
    for (const [name, isOn] of Object.entries(states)) {
      try {
        this.#internals.states[isOn ? 'add' : 'delete'](name);
      } catch {
        // Browsers of before 2024 know other names only.
      }
    }
  }

  #tellForm(isUploading: boolean): void {
    const { name, value, required } = this;
    const { browse } = this.#view;
    const data = new FormData();
    for (const url of value) data.append(name, url);
    this.#internals.setFormValue(name ? data : null);
    if (isUploading) this.#internals.setValidity({ customError: true }, this.#speech.stillUploading, browse);
    else if (required && !value.length) {
      this.#internals.setValidity({ valueMissing: true }, this.#speech.required, browse);
    } else this.#internals.setValidity({});
    const now = value.join();
    if (now === this.#value) return;
    this.#value = now;
    for (const type of ['input', 'change']) this.dispatchEvent(new Event(type, { bubbles: true }));
  }

  #dispatch<K extends keyof LeadwayUploadEventMap>(
    type: K,
    detail: LeadwayUploadEventMap[K]['detail'],
  ): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'leadway-upload': LeadwayUpload;
  }
}

function maxBytesOf({ limits, modes, channels }: ClientConfig, channel: string): number {
  const { forwardMaxBytes, directMaxBytes } = limits;
  const direct = directMaxBytes[(channel || channels.default).toUpperCase()] ?? directMaxBytes.default;
  return modes.includes('direct') ? Math.max(forwardMaxBytes, direct) : forwardMaxBytes;
}

import { createUploadStore, type ItemOptions, type UploadItem } from '../store.ts';
import type {
  ClientConfig,
  Uploader,
  UploaderOptions,
  UploadMode,
  UploadOptions,
  UploadResult,
} from '../types.ts';
import { UploadError } from '../upload-error.ts';
import { createUploader } from '../uploader.ts';
import { BOOLEANS, STRINGS } from './attributes.ts';
import { hasEnded } from './describe-item.ts';
import { listenForFiles } from './drop-area.ts';
import { type FoundFiles, readFolder } from './dropped-files.ts';
import type { LeadwayUploadEventMap } from './events.ts';
import { FormControlElement } from './form-control.ts';
import { describeKinds, describeLimits, type FileTypes, isAccepted, typesFor } from './kinds.ts';
import { STYLES } from './styles.ts';
import { type Language, TEXTS, type UploadTexts } from './texts.ts';
import { createView, type View, type ViewState } from './view.ts';

/** What may have been set before the element was defined. */
const PROPERTIES = [...STRINGS, ...BOOLEANS, 'max', 'texts', 'options', 'uploader'] as const;
/** How often waiting times are counted down. */
const TICK_MS = 500;

let sheet: CSSStyleSheet | undefined;
/** The conversations of which this load of the page has shown what an earlier one has left. */
const recovered = new Set<string>();

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
export class LeadwayUpload extends FormControlElement {
  static readonly observedAttributes = [...STRINGS, ...BOOLEANS, 'lang'];

  readonly #store = createUploadStore({
    upload: ((file: File, options: UploadOptions) => this.#upload(file, options)) as Uploader['upload'],
  });
  readonly #view: View;
  #options: Omit<UploaderOptions, 'endpoint'> = {};
  #uploader: Uploader | undefined;
  #ownUploader: Uploader | undefined;
  #config: ClientConfig | undefined;
  #configError = '';
  #accept = '';
  #texts: Partial<UploadTexts> = {};
  #state: ViewState | undefined;
  #items = new Map<string, UploadItem>();
  /** Files of an earlier load of the page, which have arrived. */
  readonly #recovered = new WeakMap<File, Omit<UploadResult, 'file'>>();
  /** Files that the user sends although the channel will not deliver them. */
  readonly #anyway = new WeakSet<File>();
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
      sheet.replaceSync?.(STYLES);
    }
    root.adoptedStyleSheets = [sheet];
    this.#view = createView({
      choose: (files, isFolder) => this.#take(isFolder ? readFolder(files) : { files }),
      act: (id, action) => (action === 'retry' ? this.retry(id) : this.#store[action](id)),
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
    const language = () => this.#options.language ?? this.#language;
    this.#ownUploader ??= createUploader({
      ...this.#options,
      ...(endpoint && { endpoint }),
      get language() {
        return language();
      },
    });
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

  /** Adds files and uploads them, as if they had been chosen; `overrides` replaces attributes for these files. */
  add(files: File | Iterable<File>, overrides: Partial<ItemOptions> = {}): UploadItem[] {
    const { multiple } = this;
    const max = multiple ? (this.max ?? Number.POSITIVE_INFINITY) : 1;
    const taken = this.items.filter(({ state }) => state !== 'failed' && state !== 'cancelled').length;
    const room = Math.max(0, multiple ? max - taken : 1);
    const all = files instanceof File ? [files] : [...files];
    const list = all.slice(0, room);
    this.#view.notify(all.length > room ? this.#speech.tooMany(max) : '');
    if (!multiple && list.length) this.#store.clear();
    if (!list.length) return [];
    if (!this.#config) this.#connectSoon();
    const { conversation, contact, location, channel, mode } = this;
    const options: ItemOptions = {
      conversationId: conversation || undefined,
      contactId: contact || undefined,
      locationId: location || undefined,
      channel: channel || undefined,
      mode: (mode || undefined) as ItemOptions['mode'],
      ...overrides,
    };
    const added = this.#store.add(list, options);
    this.#view.say(this.#speech.saidAdded(added.length));
    return added;
  }

  cancel(id: string): void {
    this.#store.cancel(id);
  }

  /** Uploads a file again, also one that the channel will not deliver. */
  retry(id: string): void {
    const item = this.#items.get(id);
    if (item?.error?.is('NOT_DELIVERABLE')) this.#anyway.add(item.file);
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

  declare addEventListener: (<K extends keyof LeadwayUploadEventMap>(
    type: K,
    listener: (this: LeadwayUpload, event: LeadwayUploadEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ) => void) &
    HTMLElement['addEventListener'];

  connectedCallback(): void {
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const own = this as Record<string, unknown>;
      const value = own[name];
      Reflect.deleteProperty(own, name);
      own[name] = value;
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
    if (name === 'conversation') void this.#recover();
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

  /** The types that are taken, once they are known. */
  get #types(): FileTypes {
    return this.#config ? typesFor(this.#config, this.accept) : [];
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
    const earlier = this.#recovered.get(file);
    if (earlier) return Promise.resolve({ ...earlier, file });
    if (isAccepted(accept, file)) {
      return this.uploader.upload(file, { onlyDeliverable: !this.#anyway.has(file), ...options });
    }
    const kinds = describeKinds(this.#types, { texts: this.#speech, language: this.#language });
    const message = this.#speech.notAccepted(kinds);
    return Promise.reject(new UploadError('TYPE_NOT_ALLOWED', message, { status: 415, retryable: false }));
  }

  #take({ files, cutAt }: FoundFiles): void {
    if (this.#isDisabled) return;
    this.add(files);
    if (cutAt) this.#view.notify(this.#speech.tooMany(cutAt));
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
      const [config, accept] = await Promise.all([uploader.config(), uploader.accept()]);
      if (uploader !== this.uploader) return;
      this.#config = config;
      this.#accept = accept;
      this.#configError = '';
      void this.#recover();
    } catch (error) {
      this.#configError = (error as Error).message;
    }
    this.#refresh();
  }

  /** Shows what an earlier load of the page has left for the conversation. */
  async #recover(): Promise<void> {
    const { endpoint, conversation, location } = this;
    const key = `${endpoint} ${conversation} ${location}`;
    if (!this.#config || recovered.has(key)) return;
    recovered.add(key);
    const left = { conversationId: conversation || undefined, locationId: location || undefined };
    const { completed, interrupted } = await this.uploader.recover(left);
    for (const upload of completed) {
      const file = new File([], upload.name);
      this.#recovered.set(file, upload);
      // What the user has chosen meanwhile keeps its place.
      if (this.multiple || !this.items.length) this.add(file);
    }
    const names = interrupted.map(({ name }) => name).join(', ');
    if (names) this.#view.notify(this.#speech.interrupted(names));
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

  /** Renders everything again, after a change of something other than the list. */
  #refresh(): void {
    const { accept, channel, mode, area, details, multiple } = this;
    const language = this.#language;
    const texts = this.#speech;
    const config = this.#config;
    const types = this.#types;
    const options = { channel, mode: (mode || 'auto') as UploadMode };
    this.#state = {
      texts,
      language,
      isPaused: this.#isPaused,
      hasDetails: details,
      isMultiple: multiple,
      isDisabled: this.#isDisabled,
      accept: accept || this.#accept,
      types: config?.types,
      takesPictures: types.some(({ mimeTypes }) => mimeTypes.includes('image/jpeg')),
      coversPage: area === 'body',
      limits: config ? describeLimits(config, types, options, { texts, language }) : this.#configError,
      isWrong: !config && this.#configError !== '',
    };
    this.internals.role = 'group';
    this.internals.ariaLabel = texts.heading(multiple);
    this.#view.show(this.items, this.#store.getTotals(), this.#state);
  }

  /** Follows the list: shows it, dispatches events, and updates the form. */
  #update(): void {
    const { items } = this;
    const before = this.#items;
    this.#items = new Map(items.map((item) => [item.id, item]));
    if (this.#state) this.#view.show(items, this.#store.getTotals(), this.#state);
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
    this.setStates({ empty: !items.length, uploading: inFlight.length > 0 });
    this.setFormUrls(this.value, inFlight.length > 0, this.#speech, this.#view.browse);
    if (inFlight.length) {
      this.#timer ??= setInterval(() => this.#view.tick(), TICK_MS);
    } else {
      clearInterval(this.#timer);
      this.#timer = undefined;
      for (const resolve of this.#settling.splice(0)) resolve();
      if (wasInFlight) this.#dispatch('upload-end', { results: this.#results() });
    }
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

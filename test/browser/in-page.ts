import type {
  RequestEntry,
  UploaderOptions,
  UploadMode,
  UploadOptions,
  UploadPhase,
} from '../../client/index.ts';

/** A file to make in the page; the driver would be slow to carry large ones there. */
export interface FileSpec {
  readonly name: string;
  readonly type?: string;
  readonly bytes: number;
  /** First bytes; what follows is 0x55, the letter U. */
  readonly head?: readonly number[];
}

/** One call of `onProgress`. */
export interface Sample {
  readonly phase: UploadPhase;
  readonly mode: UploadMode | undefined;
  readonly loadedBytes: number;
  readonly totalBytes: number;
  readonly fraction: number;
  readonly attempt: number;
  readonly waitingFor: string | undefined;
}

/** How an upload ended. */
export interface LogFields {
  /** Of what it rejected with; empty when it did not. */
  readonly error: '' | 'UploadError' | 'AbortError' | (string & {});
  readonly name: string;
  readonly url: string;
  readonly mode: UploadMode | undefined;
  readonly code: string;
  readonly status: number;
  readonly message: string;
}

/** A request that has ended. */
export type WireEntry = Pick<RequestEntry, 'method' | 'url' | 'target' | 'bytes' | 'status' | 'code'>;

/** Lives in the page as `window.stage`. */
export interface StageInPage {
  readonly files: File[];
  /** By file: every report of its progress. */
  readonly history: Sample[][];
  readonly wire: WireEntry[];
  make(specs: readonly FileSpec[]): void;
  /** Uploads all files, each by its own call on the one uploader; `cancelAt` is a fraction of a file. */
  begin(options: UploadOptions, settings: UploaderOptions, cancelAt: number): void;
  cancel(): void;
  end(): Promise<LogFields[]>;
}

declare global {
  interface Window {
    stage: StageInPage;
  }
}

/** Runs in the page: imports the client from `url` and puts up the stage. Nothing from outside reaches in here. */
export async function setUpStage(url: string): Promise<void> {
  const { createUploader } = (await import(url)) as typeof import('../../client/index.ts');
  const input = document.createElement('input');
  input.type = 'file';
  input.id = 'picked';
  input.multiple = true;
  document.body.append(input);
  let cancelling = new AbortController();
  let uploads: Promise<LogFields>[] = [];
  const files: File[] = [];
  const history: Sample[][] = [];
  const wire: WireEntry[] = [];
  input.onchange = () => files.splice(0, files.length, ...(input.files ?? []));

  window.stage = {
    files,
    history,
    wire,
    make(specs) {
      const made = specs.map(({ name, type = '', bytes, head = [] }) => {
        const content = new Uint8Array(bytes).fill(0x55);
        content.set(head);
        return new File([content], name, { type });
      });
      files.splice(0, files.length, ...made);
    },
    begin(options, settings, cancelAt) {
      cancelling = new AbortController();
      history.length = 0;
      wire.length = 0;
      const uploader = createUploader({
        retryDelayMs: 50,
        ...settings,
        onRequest({ endedAtMs, method, url, target, bytes, status, code }) {
          if (endedAtMs !== undefined) wire.push({ method, url, target, bytes, status, code } as WireEntry);
        },
      });
      uploads = files.map(async (file): Promise<LogFields> => {
        const samples: Sample[] = [];
        history.push(samples);
        const nothing = { error: '', name: '', url: '', mode: undefined, code: '', status: 0, message: '' };
        try {
          const { name, url, mode } = await uploader.upload(file, {
            ...options,
            signal: cancelling.signal,
            onProgress({ phase, mode, loadedBytes, totalBytes, fraction, attempt, waitingFor }) {
              samples.push({ phase, mode, loadedBytes, totalBytes, fraction, attempt, waitingFor });
              if (fraction >= cancelAt) cancelling.abort();
            },
          });
          return { ...nothing, name, url, mode };
        } catch (reason) {
          const { name, code = '', status = 0, message } = reason as Error & Partial<LogFields>;
          // An AbortError has a code too, a number from the time before names.
          return { ...nothing, error: name, code: String(code), status, message };
        }
      });
    },
    cancel: () => cancelling.abort(),
    end: () => Promise.all(uploads),
  };
}

import assert from 'node:assert/strict';
import { createErrorFactory } from '../../client/messages.ts';
import { initialProgress } from '../../client/progress.ts';
import { createUploadStore } from '../../client/store.ts';
import type { UploadOptions, UploadResult } from '../../client/types.ts';

/** An upload that has been asked for, and what can come of it. */
interface Asked {
  readonly file: File;
  readonly options: UploadOptions;
  readonly resolve: (result: UploadResult) => void;
  readonly reject: (error: unknown) => void;
}

/** A store over an uploader that does what the test says, and as an uploader does when it is cancelled. */
function createScene() {
  const asked: Asked[] = [];
  function upload(file: File, options: UploadOptions): Promise<UploadResult>;
  function upload(files: Iterable<File>, options: UploadOptions): Promise<UploadResult[]>;
  function upload(
    what: File | Iterable<File>,
    options: UploadOptions,
  ): Promise<UploadResult & UploadResult[]> {
    assert(what instanceof File);
    const { promise, resolve, reject } = Promise.withResolvers<UploadResult & UploadResult[]>();
    options.signal?.addEventListener('abort', () => reject(options.signal?.reason));
    asked.push({ file: what, options, resolve: (result) => resolve(result as never), reject });
    return promise;
  }
  return { asked, store: createUploadStore({ upload }) };
}

const to = { conversationId: 'c1', contactId: 'k1' };
const file = new File(['hello'], 'a.txt');
const next = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a list of uploads', () => {
  it('publishes a new list for every change, and only then', async () => {
    const { store, asked } = createScene();
    const seen: string[] = [];
    const empty = store.getSnapshot();
    assert.equal(store.getSnapshot(), empty);
    const stop = store.subscribe(() =>
      seen.push(
        store
          .getSnapshot()
          .map(({ state }) => state)
          .join(),
      ),
    );
    const [first] = store.add(file, to);
    assert.equal(first?.state, 'waiting');
    const before = store.getSnapshot();
    const progress = initialProgress(file);
    asked[0]?.options.onProgress?.({ ...progress, phase: 'uploading', fraction: 0.5 });
    assert.equal(before[0]?.state, 'waiting', 'what was read stays as it was');
    assert.notEqual(store.getSnapshot(), before);
    asked[0]?.options.onProgress?.({ ...progress, phase: 'done', fraction: 1 });
    const result: UploadResult = { file, name: 'a.txt', url: 'https://x/a.txt', mode: 'forward' };
    asked[0]?.resolve(result);
    await next();
    assert.deepEqual(seen, ['waiting', 'uploading', 'done']);
    assert.equal(store.getSnapshot()[0]?.result, result);
    assert.equal(store.getSnapshot()[0]?.progress.fraction, 1);
    stop();
    store.clear();
    assert.equal(seen.length, 3);
    assert.deepEqual(store.getSnapshot(), []);
  });

  it('keeps failed uploads, and retries them', async () => {
    const { store, asked } = createScene();
    const [item] = store.add([file], to);
    const id = item?.id ?? '';
    store.retry(id);
    assert.equal(asked.length, 1, 'what is in flight is not begun again');
    const error = createErrorFactory({ language: 'en' }).toError('NETWORK', { retryable: true });
    asked[0]?.reject(error);
    await next();
    assert.equal(store.getSnapshot()[0]?.state, 'failed');
    assert.equal(store.getSnapshot()[0]?.error, error);
    store.retry(id);
    assert.equal(store.getSnapshot()[0]?.state, 'waiting');
    assert.equal(store.getSnapshot()[0]?.error, undefined);
    assert.equal(store.getSnapshot()[0]?.id, id);
    assert.equal(asked.length, 2);
  });

  it('cancels uploads in flight, and drops removed ones', async () => {
    const { store, asked } = createScene();
    const [first, second, third] = store.add([file, file, file], to);
    store.cancel(first?.id ?? '');
    await next();
    assert.deepEqual(
      store.getSnapshot().map(({ state }) => state),
      ['cancelled', 'waiting', 'waiting'],
    );
    store.remove(second?.id ?? '');
    assert(asked[1]?.options.signal?.aborted);
    await next();
    assert.equal(store.getSnapshot().length, 2);
    store.retry(first?.id ?? '');
    assert(!asked[3]?.options.signal?.aborted);
    store.clear();
    assert(asked[2]?.options.signal?.aborted && asked[3]?.options.signal?.aborted);
    await next();
    assert.deepEqual(store.getSnapshot(), []);
    store.cancel(third?.id ?? '');
    store.retry('no such id');
    store.remove('no such id');
    assert.deepEqual(store.getSnapshot(), []);
  });

  it('adds up the progress of all files, and says once why all of them wait', () => {
    const { store, asked } = createScene();
    assert.equal(store.getTotals().files, 0);
    store.add([file, file, file], to);
    const before = store.getTotals();
    assert.equal(store.getTotals(), before);
    const progress = initialProgress(file);
    const waitingMessage = 'The server is busy.';
    asked[0]?.options.onProgress?.({ ...progress, phase: 'waiting', waitingMessage });
    assert.equal(store.getTotals().waitingMessage, waitingMessage);
    asked[1]?.options.onProgress?.({ ...progress, phase: 'uploading', loadedBytes: 3, bytesPerSecond: 2 });
    assert.deepEqual(store.getTotals(), {
      files: 3,
      doneFiles: 0,
      failedFiles: 0,
      activeFiles: 3,
      loadedBytes: 3,
      totalBytes: 15,
      fraction: 0.2,
      bytesPerSecond: 2,
      remainingMs: 6000,
      waitingMessage: undefined,
    });
  });

  it('takes the list of a file input, and nothing', () => {
    const { store } = createScene();
    assert.deepEqual(store.add(null, to), []);
    assert.equal(store.add({ length: 1, 0: file }, to).length, 1);
  });

  it('ignores late progress of an earlier attempt', async () => {
    const { store, asked } = createScene();
    const [item] = store.add(file, to);
    store.cancel(item?.id ?? '');
    await next();
    store.retry(item?.id ?? '');
    asked[0]?.options.onProgress?.({ ...initialProgress(file), phase: 'confirming' });
    assert.equal(store.getSnapshot()[0]?.state, 'waiting');
  });

  it('passes progress to the listener of the options', () => {
    const { store, asked } = createScene();
    const phases: string[] = [];
    store.add(file, { ...to, onProgress: ({ phase }) => phases.push(phase) });
    asked[0]?.options.onProgress?.({ ...initialProgress(file), phase: 'checking' });
    assert.deepEqual(phases, ['checking']);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file that is gone when the test is. */
export interface TempFile extends AsyncDisposable {
  readonly path: string;
  write(text: string): Promise<void>;
}

/** Makes a file with `text` in its own folder. */
export async function createTempFile(text: string): Promise<TempFile> {
  const folder = await mkdtemp(join(tmpdir(), 'leadway-bff-test-'));
  const path = join(folder, 'file');
  const write = (content: string): Promise<void> => writeFile(path, content, { mode: 0o600 });
  await write(text);
  return {
    path,
    write,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

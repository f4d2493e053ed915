import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Secrets } from '../../../server/config/config.ts';
import { Secret } from '../../../server/config/secrets.ts';
import { createTokenStore, type TokenStore } from '../../../server/leadway/token-store.ts';
import { createLogger } from '../../../server/logger.ts';
import { LogSink } from '../../helpers/log-sink.ts';
import { settled } from '../../helpers/test-server.ts';

const HERE = 'exampleLocation01';
const THERE = 'exampleLocation02';

const SECRETS: Secrets = {
  leadwayToken: null,
  locationTokens: null,
  ticketSecrets: [],
  sessionSecrets: [],
  ssoSharedSecret: null,
  redisUrl: null,
  httpsProxy: null,
  httpProxy: null,
};

interface Watched extends AsyncDisposable {
  readonly tokens: TokenStore;
  readonly folder: string;
  readonly file: string;
  readonly log: LogSink;
}

/** Tokens from a file in its own folder; `first` is what it holds at the start. */
async function watch(first: string, options: { pollMs?: number; several?: boolean } = {}): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'tokens-'));
  const file = join(folder, 'token');
  await writeFile(file, first);
  return watchFile(folder, file, first, options);
}

async function watchFile(
  folder: string,
  file: string,
  first: string,
  { pollMs = 20, several = false }: { pollMs?: number; several?: boolean } = {},
): Promise<Watched> {
  const log = new LogSink();
  const logger = await createLogger({ level: 'trace', destination: log });
  const entries = several ? Object.entries(JSON.parse(first) as Record<string, string>) : [];
  const tokens = createTokenStore({
    secrets: several
      ? {
          ...SECRETS,
          locationTokens: { file, tokens: new Map(entries.map(([id, token]) => [id, new Secret(token)])) },
        }
      : { ...SECRETS, leadwayToken: { value: new Secret(first), file } },
    singleLocationId: several ? null : HERE,
    logger,
    pollMs,
  });
  return {
    tokens,
    folder,
    file,
    log,
    async [Symbol.asyncDispose]() {
      tokens[Symbol.dispose]();
      await rm(folder, { recursive: true });
    },
  };
}

const becomes = (tokens: TokenStore, token: string, locationId = HERE): Promise<void> =>
  settled(() => tokens.current(locationId) === token, `${token} is in use`);

const complaints = (log: LogSink): unknown[] =>
  log.entries.filter(({ level }) => level === 'warn').map(({ msg }) => msg);

describe('Tokens from a file', () => {
  it('are read at once when asked to, even while an older reading goes on', async () => {
    await using watched = await watch('first-token', { pollMs: 3_600_000 });
    await writeFile(watched.file, 'second-token');
    assert.equal(await watched.tokens.reread(), watched.file);
    assert.equal(watched.tokens.current(HERE), 'second-token');
    await writeFile(watched.file, 'third-token');
    await watched.tokens.reread();
    assert.equal(watched.tokens.current(HERE), 'third-token');
  });

  it('follow a file that is replaced by an atomic rename', async () => {
    await using watched = await watch('first-token');
    assert.equal(watched.tokens.current(HERE), 'first-token');
    await writeFile(join(watched.folder, 'next'), 'second-token\n');
    await rename(join(watched.folder, 'next'), watched.file);
    await becomes(watched.tokens, 'second-token');
    assert.deepEqual(complaints(watched.log), []);
  });

  it('follow a Kubernetes secret, whose folder is swapped beneath a symbolic link', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tokens-'));
    for (const [version, token] of [
      ['..v1', 'first-token'],
      ['..v2', 'second-token'],
    ] as const) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'token'), token);
    }
    await symlink('..v1', join(folder, '..data'));
    await symlink(join('..data', 'token'), join(folder, 'token'));
    await using watched = await watchFile(folder, join(folder, 'token'), 'first-token');
    await symlink('..v2', join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(join(folder, '..v1'), { recursive: true });
    await becomes(watched.tokens, 'second-token');
  });

  it('never use the beginning of a token whose file is still being written', async () => {
    const target = 'second-token-that-is-long';
    let length = 0;
    const seen = new Set<string>();
    using tokens = createTokenStore({
      secrets: { ...SECRETS, leadwayToken: { value: new Secret('first-token'), file: '/secret/token' } },
      singleLocationId: HERE,
      logger: await createLogger({ level: 'silent', destination: new LogSink() }),
      pollMs: 3_600_000,
      async readFile() {
        await Promise.resolve();
        seen.add(tokens.current(HERE));
        length = Math.min(target.length, length + 5);
        return target.slice(0, length);
      },
    });
    await becomes(tokens, target);
    assert.deepEqual([...seen], ['first-token']);
  });

  for (const [what, content] of [
    ['empty', ''],
    ['blank', '\n\n'],
    ['three tokens', 'a,b,c'],
    ['binary', '\0\u0001\u0002'],
    ['a token with Bearer in front', 'Bearer abc'],
    ['two lines', 'one\ntwo'],
  ] as const) {
    it(`keep the last good token while the file is ${what}, say so once, and recover`, async () => {
      await using watched = await watch('first-token');
      await writeFile(watched.file, content);
      await settled(() => watched.tokens.problem() !== null, 'the problem is told');
      await settled(() => complaints(watched.log).length > 0, 'the log tells');
      // Long enough for several more looks at the file.
      await watched.tokens.refresh(HERE, 'first-token');
      await watched.tokens.refresh(HERE, 'first-token');
      assert.equal(watched.tokens.current(HERE), 'first-token');
      assert.deepEqual(complaints(watched.log), [
        'The token file holds no valid token; the last good one stays in use',
      ]);
      await writeFile(watched.file, 'second-token');
      await becomes(watched.tokens, 'second-token');
      assert.equal(watched.tokens.problem(), null);
    });
  }

  it('keep the last good token while the file is gone, and recover when the same comes back', async () => {
    await using watched = await watch('first-token');
    await rm(watched.file);
    await settled(() => watched.tokens.problem() !== null, 'the problem is told');
    assert.equal(watched.tokens.current(HERE), 'first-token');
    await writeFile(watched.file, 'first-token');
    await settled(() => watched.tokens.problem() === null, 'the problem is over');
    assert.equal(complaints(watched.log).length, 1);
  });

  it('keep the last good token while the file can’t be read', async () => {
    await using watched = await watch('first-token');
    await rm(watched.file);
    await mkdir(watched.file);
    await settled(() => watched.tokens.problem() !== null, 'the problem is told');
    assert.equal(watched.tokens.current(HERE), 'first-token');
  });

  it('change for one location of several, and keep those of a location that vanished', async () => {
    await using watched = await watch(JSON.stringify({ [HERE]: 'here-1', [THERE]: 'there-1' }), {
      several: true,
    });
    await writeFile(watched.file, JSON.stringify({ [HERE]: 'here-2' }));
    await becomes(watched.tokens, 'here-2');
    assert.equal(watched.tokens.current(THERE), 'there-1');
    await writeFile(watched.file, `{"${HERE}": "here-3", "${THERE}": `);
    await settled(() => watched.tokens.problem() !== null, 'the problem is told');
    assert.equal(watched.tokens.current(HERE), 'here-2');
  });

  it('never appear in the log', async () => {
    await using watched = await watch('first-token,second-token');
    await watched.tokens.refresh(HERE, 'first-token');
    await writeFile(watched.file, 'third-token');
    await becomes(watched.tokens, 'third-token');
    await rm(watched.file);
    await settled(() => watched.tokens.problem() !== null, 'the problem is told');
    assert.doesNotMatch(watched.log.lines.join(), /(first|second|third)-token/);
  });

  it('are kept out of messages for one more change after they were replaced', async () => {
    await using watched = await watch('first-token');
    await writeFile(watched.file, 'second-token');
    await becomes(watched.tokens, 'second-token');
    assert.deepEqual(watched.tokens.all(HERE), ['second-token', 'first-token']);
  });
});

describe('A token that Leadway calls bad', () => {
  it('makes the file be read once for all who wait', async () => {
    let reads = 0;
    let content = 'first-token';
    const log = new LogSink();
    const logger = await createLogger({ level: 'trace', destination: log });
    using tokens = createTokenStore({
      secrets: { ...SECRETS, leadwayToken: { value: new Secret(content), file: '/secret/token' } },
      singleLocationId: HERE,
      logger,
      pollMs: 3_600_000,
      readFile: async () => {
        reads += 1;
        return content;
      },
    });
    // The first look at the file and its confirmation.
    await tokens.refresh(HERE, 'another-token');
    await settled(() => reads === 2, 'the file was read');
    assert.equal(await tokens.refresh(HERE, 'first-token'), false);
    reads = 0;
    content = 'second-token';
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, () => tokens.refresh(HERE, 'first-token')),
    );
    assert.deepEqual(new Set(outcomes), new Set([true]));
    assert.equal(tokens.current(HERE), 'second-token');
    assert.equal(reads, 2, 'once, and once more to see that it had settled');
    assert.equal(await tokens.refresh(HERE, 'first-token'), true);
    assert.equal(reads, 2, 'who comes later needs no reading');
  });

  it('makes way for the other of two, and that one for the first again', async () => {
    await using watched = await watch('new-token,old-token');
    const { tokens } = watched;
    assert.equal(tokens.current(HERE), 'new-token');
    assert.equal(await tokens.refresh(HERE, 'new-token'), true);
    assert.equal(tokens.current(HERE), 'old-token');
    assert.equal(await tokens.refresh(HERE, 'new-token'), true, 'a late response changes nothing');
    assert.equal(tokens.current(HERE), 'old-token');
    assert.equal(await tokens.refresh(HERE, 'old-token'), true);
    assert.equal(tokens.current(HERE), 'new-token');
  });

  it('is tried again when the file has been rewritten', async () => {
    await using watched = await watch('new-token,old-token');
    const { tokens } = watched;
    assert.equal(await tokens.refresh(HERE, 'new-token'), true);
    assert.equal(tokens.current(HERE), 'old-token');
    // The same tokens, written again because the new one has its scope now.
    await writeFile(watched.file, 'new-token,old-token\n');
    await becomes(tokens, 'new-token');
  });

  it('is used on when there is no other', async () => {
    await using watched = await watch('only-token');
    assert.equal(await watched.tokens.refresh(HERE, 'only-token'), false);
    assert.equal(watched.tokens.current(HERE), 'only-token');
  });
});

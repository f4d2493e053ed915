import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { writeEnvExample, writeTables } from '../../../scripts/write-docs.ts';
import { ALL_NAMES, SETTINGS } from '../../../server/config/settings.ts';
import { accept, SEALING } from './helpers.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const example = read('.env.example');
const guide = read('docs/configuration.md');
const deployment = read('docs/deployment.md');

const TOKENS_JSON = /```json\n(.*?)```/s.exec(deployment)?.[1] ?? '';
const FILES = {
  '/etc/leadway-bff/token': 'tok',
  '/run/secrets/leadway-token': 'tok',
  '/run/secrets/leadway/token': 'tok',
  '/run/secrets/leadway-tokens.json': TOKENS_JSON,
  '/run/secrets/ticket-secrets': SEALING,
  '/run/secrets/leadway/ticket-secrets': SEALING,
  '/run/secrets/session-secrets': SEALING,
  '/run/secrets/sso-shared-secret': 'shared-secret-of-the-app',
  '/run/secrets/redis-url': 'redis://redis',
};

const settings = [...example.matchAll(/^#([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => ({
  name,
  value,
}));
const rows = guide
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.slice(2, -2).split(' | '))
  .map(([names = '', initial = '', meaning = '']) => ({
    names: [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => name),
    initial: initial.replaceAll('`', ''),
    meaning,
  }));

describe('.env.example', () => {
  it('is as `npm run docs` writes it', () => {
    assert.equal(example, writeEnvExample());
  });

  it('holds every variable once and no other', () => {
    assert.deepEqual(settings.map(({ name }) => name).sort(), [...ALL_NAMES].sort());
  });

  it('sets nothing as it stands', () => {
    assert.deepEqual(parseEnv(example), {});
  });

  it('shows defaults, and examples where there are none', () => {
    for (const [name, variable] of Object.entries(SETTINGS)) {
      const shown = settings.find((setting) => setting.name === name)?.value;
      assert.equal(shown, variable.default ?? variable.example, name);
    }
  });

  it('says in its own line what each variable means', () => {
    for (const [name, { doc }] of Object.entries(SETTINGS)) {
      const comment = new RegExp(`^# (.*)\\n#${name}=`, 'm').exec(example)?.[1] ?? '';
      assert(comment.toLowerCase().includes(doc.replaceAll('`', '').toLowerCase()), name);
    }
  });
});

describe('docs/configuration.md', () => {
  it('has the tables that `npm run docs` writes', () => {
    assert.equal(guide, writeTables(guide));
  });

  it('has a row for every variable and no other', () => {
    assert.deepEqual(rows.flatMap(({ names }) => names).sort(), [...ALL_NAMES].sort());
  });

  it('tells the defaults of the program', () => {
    for (const { names, initial } of rows) {
      const [name = ''] = names;
      assert.equal(initial, SETTINGS[keyOf(name)].default ?? '—', name);
    }
  });
});

describe('docs/deployment.md', () => {
  it('shows settings that are accepted', () => {
    const shell = [...deployment.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) =>
      toEnv(block.matchAll(/^(\w+)=(.*)$/gm)),
    );
    const examples = shell.filter((env) => Object.keys(env).length > 0);
    assert.equal(examples.length, 5);
    for (const env of examples) {
      const { config, warnings } = accept(env, FILES);
      assert.equal(config.production, true);
      assert.deepEqual(
        warnings.filter((warning) => !warning.startsWith('AUTH=none')),
        [],
      );
    }
  });
});

function keyOf(name: string): keyof typeof SETTINGS {
  const key = Object.keys(SETTINGS).find(
    (candidate): candidate is keyof typeof SETTINGS => candidate === name,
  );
  assert(key !== undefined, name);
  return key;
}

function toEnv(pairs: Iterable<RegExpExecArray>): Readonly<Record<string, string>> {
  return Object.fromEntries([...pairs].map(([, name = '', value = '']) => [name, value]));
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, inspect } from 'node:util';
import { describeConfig, formatProblems, loadConfig } from '../../../server/config/config.ts';
import { parseLocationTokens, parseTokenFile, Secret } from '../../../server/config/secrets.ts';
import { ALL_NAMES } from '../../../server/config/settings.ts';
import { accept, assertRejected, PRODUCTION, reject, SEALING, TOKEN } from './helpers.ts';

const HUSH = 'hush-hush-0123456789-0123456789-0123456789';

describe('Secret', () => {
  it('reveals its value only when asked', () => {
    const secret = new Secret(HUSH);
    assert.equal(secret.reveal(), HUSH);
    const shown = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect(secret, { showHidden: true, depth: 9 }),
      format('%s %o %j', secret, secret, secret),
      JSON.stringify(Object.entries(secret)),
      JSON.stringify(structuredClone(secret)),
    ];
    for (const text of shown) assert(!text.includes('hush'), text);
    assert.equal(`${secret}`, '[secret]');
  });
});

describe('secrets', () => {
  const env = { NODE_ENV: 'production', AUTH: 'none', LEADWAY_LOCATION_ID: 'loc1' };

  it('are hidden in everything that can be printed', () => {
    const loaded = accept({
      ...env,
      LEADWAY_TOKEN: HUSH,
      TICKET_SECRETS: `${HUSH},${HUSH}2`,
    });
    for (const text of [
      describeConfig(loaded),
      inspect(loaded, { depth: 9, showHidden: true }),
      JSON.stringify(loaded),
      loaded.warnings.join(),
    ]) {
      assert(!text.includes('hush'), text);
    }
    const several = accept({ LEADWAY_TOKENS_FILE: '/t' }, { '/t': JSON.stringify({ a: HUSH }) });
    assert(!inspect(several, { depth: 9, showHidden: true }).includes('hush'));
    assert(!describeConfig(several).includes('hush'));
  });

  it('are hidden where they stand in the place of a path, even if they begin like one', () => {
    for (const value of ['/hush{"a":1}', './hush"x', '~/hush{', 'C:\\hush"', 'hush', '{"hush":1}']) {
      const problems = formatProblems(reject({ ...env, LEADWAY_TOKEN_FILE: value }));
      assert(!problems.includes('hush'), problems);
      assert.match(problems, /LEADWAY_TOKEN_FILE/);
    }
    for (const value of ['/run/hush', './hush', '../hush', '~/hush', 'C:\\hush']) {
      assert(formatProblems(reject({ ...env, LEADWAY_TOKEN_FILE: value })).includes(value), value);
    }
  });

  it('are hidden in problems, from the environment and from files', () => {
    const broken = ['hush hush', 'hush\nhush', 'Bearer hush', 'hush,hush,hush ', 'hushñ'];
    for (const value of broken) {
      for (const name of [
        'LEADWAY_TOKEN',
        'SSO_SHARED_SECRET',
        'SESSION_SECRETS',
        'TICKET_SECRETS',
        'REDIS_URL',
      ]) {
        assert(!formatProblems(reject({ AUTH: 'sso', [name]: value })).includes('hush'), name);
        const fromFile = reject({ AUTH: 'sso', [`${name}_FILE`]: '/f' }, { '/f': value });
        assert(!formatProblems(fromFile).includes('hush'), name);
      }
    }
    for (const text of [
      '{"a":"hush hush"}',
      '{"a":"hush"',
      '["hush"]',
      '"hush"',
      '{"hush hush":"x"}',
      '{"a":{"b":"hush"}}',
    ]) {
      const problems = assertRejected({ LEADWAY_TOKENS_FILE: '/t' }, ['LEADWAY_TOKENS_FILE'], { '/t': text });
      assert(!formatProblems(problems).includes('hush'), text);
    }
  });

  it('are hidden where they were put by mistake', () => {
    const jwt = 'eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl';
    const slips: readonly Record<string, string>[] = [
      { LEADWAY_LOCATION_ID: TOKEN },
      { LEADWAY_LOCATION_ID: jwt },
      { LEADWAY_BASE_URL: `https://user:${TOKEN}@leadway.example` },
      { LEADWAY_TOKEN_FILE: TOKEN, LEADWAY_LOCATION_ID: 'a' },
      { LEADWAY_TOKENS_FILE: `{"a":"${TOKEN}"}` },
      { REDIS_URL_FILE: `redis://u:${TOKEN}@redis` },
      { ALLOWED_ORIGINS: `https://u:${TOKEN}@a.example` },
      { API: '1', PORT: TOKEN },
    ];
    for (const slip of slips) {
      const text = formatProblems(reject(slip));
      assert(!text.includes(TOKEN) && !text.includes(jwt), text);
    }
    assert(!formatProblems(reject({ LEADWAY_BASE_URL: 'https://u:pa/ss@x.example' })).includes('pa/ss'));
  });
});

describe('X_FILE', () => {
  it('stands in for every secret', () => {
    const files = ALL_NAMES.filter((name) => name.endsWith('_FILE'));
    assert.deepEqual(files.sort(), [
      'HTTPS_PROXY_FILE',
      'HTTP_PROXY_FILE',
      'LEADWAY_TOKENS_FILE',
      'LEADWAY_TOKEN_FILE',
      'REDIS_URL_FILE',
      'SESSION_SECRETS_FILE',
      'SSO_SHARED_SECRET_FILE',
      'TICKET_SECRETS_FILE',
    ]);
  });

  it('gives the content without what editors add', () => {
    for (const text of [HUSH, `${HUSH}\n`, `${HUSH}\r\n`, `${HUSH}\n\n`, `\uFEFF${HUSH}`]) {
      const { secrets } = accept({ LEADWAY_TOKEN_FILE: '/t', LEADWAY_LOCATION_ID: 'a' }, { '/t': text });
      assert.equal(secrets.leadwayToken?.value.reveal(), HUSH);
      assert.equal(secrets.leadwayToken?.file, '/t');
    }
    const { secrets, files } = accept({ TICKET_SECRETS_FILE: '/s' }, { '/s': `${SEALING},${SEALING}2\n` });
    assert.equal(secrets.ticketSecrets.length, 2);
    assert.equal(files.get('TICKET_SECRETS'), '/s');
  });

  it('knows that a token from the environment has no file', () => {
    assert.equal(accept(PRODUCTION).secrets.leadwayToken?.file, null);
  });

  it('cannot be given together with X', () => {
    for (const name of ['LEADWAY_TOKEN', 'TICKET_SECRETS', 'REDIS_URL']) {
      const value = name === 'REDIS_URL' ? 'redis://redis' : SEALING;
      const env = { LEADWAY_LOCATION_ID: 'a', [name]: value, [`${name}_FILE`]: '/f' };
      const [problem] = assertRejected(env, [name], { '/f': value });
      assert.match(problem?.problem ?? '', /together with \w+_FILE/);
    }
  });

  it('names the path of a file that is missing, empty or wrong', () => {
    const env = { LEADWAY_TOKEN_FILE: '/run/secrets/token', LEADWAY_LOCATION_ID: 'a' };
    const texts = [
      {},
      { '/run/secrets/token': '' },
      { '/run/secrets/token': '\n' },
      { '/run/secrets/token': 'a b' },
    ];
    for (const files of texts) {
      const [problem] = assertRejected(env, ['LEADWAY_TOKEN_FILE'], files);
      assert.match(problem?.problem ?? '', /\/run\/secrets\/token/);
    }
    assert.match(formatProblems(reject(env)), /cannot be read \(ENOENT\)/);
  });

  it('is read from disk when nothing else is said', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    try {
      const file = join(folder, 'token');
      writeFileSync(file, `${TOKEN}\n`);
      const loaded = loadConfig({ LEADWAY_TOKEN_FILE: file, LEADWAY_LOCATION_ID: 'a' });
      assert(loaded.ok);
      assert.equal(loaded.secrets.leadwayToken?.value.reveal(), TOKEN);
      assert(!loadConfig({ LEADWAY_TOKEN_FILE: folder, LEADWAY_LOCATION_ID: 'a' }).ok);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('parseLocationTokens', () => {
  it('reads locations and tokens, names of object properties included', () => {
    const parsed = parseLocationTokens(
      '\uFEFF{ "a-1": "tok:1", "__proto__" : "tok2", "constructor":"tok3" }\n',
    );
    assert(parsed.ok);
    assert.deepEqual(
      [...parsed.value].map(([id, token]) => [id, token.reveal()]),
      [
        ['a-1', 'tok:1'],
        ['__proto__', 'tok2'],
        ['constructor', 'tok3'],
      ],
    );
  });

  it('takes two tokens of a location, the new one first', () => {
    const parsed = parseLocationTokens('{"a":"new,old","b":"only"}');
    assert(parsed.ok);
    assert.equal(parsed.value.get('a')?.reveal(), 'new,old');
    assert(!parseLocationTokens('{"a":"new,old,older"}').ok);
    assert(!parseLocationTokens('{"a":"new,"}').ok);
  });

  it('rejects what is not a full map of ids to tokens', () => {
    const bad = [
      '',
      '{}',
      '[]',
      'null',
      '"x"',
      '{"a":1}',
      '{"a":""}',
      '{"a":null}',
      '{"a b":"x"}',
      '{"":"x"}',
      '{"a":"x y"}',
      '{"a":"x",}',
      '{"a":"x","a":"y"}',
      `{"${'x'.repeat(65)}":"t"}`,
    ];
    for (const text of bad) assert(!parseLocationTokens(text).ok, text);
  });

  it('does not take a token for a second key', () => {
    assert(parseLocationTokens(JSON.stringify({ a: '"b":' })).ok);
  });
});

describe('parseTokenFile', () => {
  it('reads a token again as it was read at first', () => {
    const parsed = parseTokenFile(`${TOKEN}\n`);
    assert(parsed.ok);
    assert.equal(parsed.value.reveal(), TOKEN);
    const two = parseTokenFile('new,old\n');
    assert(two.ok);
    assert.equal(two.value.reveal(), 'new,old');
    assert(!parseTokenFile('\n').ok);
    assert(!parseTokenFile('a\nb').ok);
  });
});

import assert from 'node:assert/strict';
import { SEALING_EXAMPLE } from '../../../server/config/secrets.ts';
import { SETTINGS } from '../../../server/config/settings.ts';
import { assertRejected } from './helpers.ts';
import { CASES } from './variable-cases.ts';

describe('each variable of the environment', () => {
  for (const [name, { good, bad }] of Object.entries(CASES)) {
    const variable = Object.entries(SETTINGS).find(([other]) => other === name)?.[1];
    assert(variable !== undefined);

    it(`${name} takes ${good.length} good values`, () => {
      for (const value of good) {
        const parsed = variable.parse(value);
        assert(parsed.ok, `${name} rejected ${JSON.stringify(value)}`);
      }
    });

    it(`${name} rejects ${bad.length} bad values by name`, () => {
      for (const value of bad) {
        const parsed = variable.parse(value);
        assert(!parsed.ok, `${name} took ${JSON.stringify(value)}`);
        assert.match(parsed.problem, /^(must|is|names) /);
        assert(value.length < 10 || !parsed.problem.includes(value), 'the problem quotes the value');
      }
    });

    it(`${name} takes its own example`, () => {
      // Whoever copies this one has a secret that everyone knows.
      assert.equal(variable.parse(variable.example).ok, variable.example !== SEALING_EXAMPLE);
    });
  }

  it('names what came and an example when the value is not a secret', () => {
    const [problem] = assertRejected({ PORT: 'abc' }, ['PORT']);
    assert.equal(problem?.came, '"abc"');
    assert.equal(problem?.example, 'PORT=8080');
  });

  it('names the item at fault of a list', () => {
    const [problem] = assertRejected({ ALLOWED_TYPES: 'jpg,exe,png' }, ['ALLOWED_TYPES']);
    assert.equal(problem?.came, '"exe"');
  });
});

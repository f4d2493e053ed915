import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { FILE_TYPES, LEADING_BYTES } from '../../../server/file-types/file-types.ts';
import { createRandom } from '../../helpers/random.ts';
import { checkBeginning, checkStream, inPiecesOf } from './checking.ts';
import { ACCEPTED_AS, fixture, fixtureNames, RELATIVES } from './type-fixtures.ts';

describe('every real file under every extension', () => {
  it('has a fixture for each line of the table, and a line for each fixture', () => {
    assert.deepEqual([...fixtureNames()].sort(), Object.keys(ACCEPTED_AS).sort());
  });

  for (const [type, relatives] of Object.entries(RELATIVES)) {
    it(`has five files or more and ten near misses or more for ${type}`, () => {
      const own = Object.entries(ACCEPTED_AS).filter(([, types]) => types.includes(type));
      assert(own.length >= 5, `${own.length} files`);
      const nearMisses = fixtureNames().filter((name) => name.startsWith(`${type}/near-miss`));
      const others = new Set([...nearMisses, ...relatives]);
      for (const name of others) assert(!ACCEPTED_AS[name]?.includes(type), name);
      assert(others.size >= 10, `${others.size} near misses`);
    });
  }

  for (const [name, types] of Object.entries(ACCEPTED_AS)) {
    it(`takes ${name} as ${types.join(' and ') || 'nothing'}`, async () => {
      const bytes = fixture(name);
      for (const type of Object.values(FILE_TYPES)) {
        for (const extension of type.extensions) {
          const expected = types.includes(type.name) ? null : 'TYPE_MISMATCH';
          const filename = `upload.${extension}`;
          const streamed = await checkStream(bytes, { filename });
          assert.equal(streamed?.code ?? null, expected, `streamed as ${filename}`);
          const whole = await checkBeginning(bytes, { filename }, true);
          assert.equal(whole.ok ? null : whole.problem.code, expected, `whole as ${filename}`);
          if (whole.ok) assert.equal(whole.structure, null);
          for (const declared of ['application/octet-stream', ...type.mimeTypes]) {
            const problem = await checkStream(bytes, { filename, declared });
            assert.equal(problem?.code ?? null, expected, `${filename} declared as ${declared}`);
          }
        }
      }
    });
  }
});

describe('docs/types.md', () => {
  it('has the numbers of this comparison', () => {
    const files = Object.values(ACCEPTED_AS);
    let trueNames = 0;
    let disguises = 0;
    for (const { name, extensions, mimeTypes } of Object.values(FILE_TYPES)) {
      const declarations = extensions.length * (mimeTypes.length + 2); // none, and application/octet-stream
      const fitting = files.filter((types) => types.includes(name)).length;
      trueNames += declarations * fitting;
      disguises += declarations * (files.length - fitting);
    }
    const page = readFileSync(new URL('../../../docs/types.md', import.meta.url), 'utf8');
    assert.deepEqual(page.match(/^\| (?:disguises|true names) \| (\d+)/gm), [
      `| disguises | ${disguises}`,
      `| true names | ${trueNames}`,
    ]);
    assert(page.includes(`${files.length} real files`));
  });
});

describe('the pieces in which a file arrives', () => {
  const random = createRandom(20261122);
  function* inRandomPieces(bytes: Buffer): Generator<Buffer> {
    for (let at = 0; at < bytes.length; ) {
      const size = Math.floor(random() ** 4 * 5000);
      yield bytes.subarray(at, at + size);
      at += size;
    }
  }

  for (const [name, types] of Object.entries(ACCEPTED_AS)) {
    it(`do not matter for ${name}`, async () => {
      const bytes = fixture(name);
      for (const type of Object.values(FILE_TYPES)) {
        const filename = `upload.${type.extensions[0]}`;
        const result = await checkBeginning(bytes.subarray(0, LEADING_BYTES), { filename });
        if (!result.ok || !result.structure) continue;
        const inOne = await checkStream(bytes, { filename });
        assert.equal(inOne, types.includes(type.name) ? null : inOne);
        const splits = [inRandomPieces, inRandomPieces, (whole: Buffer) => inPiecesOf(511, whole)];
        if (bytes.length < 20_000) splits.push((whole: Buffer) => inPiecesOf(1, whole));
        for (const split of splits) {
          const reused = (whole: Buffer) => overwritten(split(whole));
          assert.deepEqual(await checkStream(bytes, { filename }, split), inOne, filename);
          assert.deepEqual(
            await checkStream(bytes, { filename }, reused),
            inOne,
            `${filename}, memory reused`,
          );
        }
      }
    });
  }
});

/** A sender that writes the next piece over the last one: nothing may have been kept by reference. */
function* overwritten(pieces: Iterable<Buffer>): Generator<Buffer> {
  for (const piece of pieces) {
    const own = Buffer.from(piece);
    yield own;
    own.fill(0xaa);
  }
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { defineScript, KEY_PREFIX, toKeyPart } from '../../../server/redis/script.ts';
import type { SharedStore } from '../../../server/redis/store.ts';

function storeOf(send: (command: readonly string[]) => unknown): SharedStore & { commands: string[][] } {
  const commands: string[][] = [];
  return {
    commands,
    isUp: true,
    async send(...command) {
      commands.push(command);
      return send(command);
    },
    problem: () => null,
    async [Symbol.asyncDispose]() {},
  };
}

describe('a script for Redis', () => {
  const script = defineScript('return now');

  it('is called by its digest, with the number of its keys', async () => {
    const store = storeOf(() => 7);
    assert.equal(await script(store, ['a', 'b'], [1, 'x']), 7);
    const [[name, digest, ...rest] = []] = store.commands;
    assert.equal(name, 'EVALSHA');
    assert.match(digest ?? '', /^[0-9a-f]{40}$/);
    assert.deepEqual(rest, ['2', 'a', 'b', '1', 'x']);
  });

  it('is sent in full to a Redis that does not know it, and to no other', async () => {
    const store = storeOf(([name]) => {
      if (name === 'EVALSHA') throw new Error('NOSCRIPT No matching script.');
      return 8;
    });
    assert.equal(await script(store, ['a'], []), 8);
    const [[, digest] = [], [name, source = '', ...rest] = []] = store.commands;
    assert.equal(name, 'EVAL');
    assert.equal(createHash('sha1').update(source).digest('hex'), digest);
    assert.match(source, /redis\.call\('TIME'\)[\s\S]*return now$/);
    assert.deepEqual(rest, ['1', 'a']);
    const broken = storeOf(() => Promise.reject(new Error('READONLY You can not write')));
    await assert.rejects(script(broken, [], []), /READONLY/);
    assert.equal(broken.commands.length, 1);
  });
});

describe('keys in Redis', () => {
  it('begin with our name and tell nobody who a client is', () => {
    assert.equal(KEY_PREFIX, 'leadway-bff:');
    assert.match(toKeyPart('maria@example.com'), /^[\w-]{43}$/);
    assert.notEqual(toKeyPart('a'), toKeyPart('b'));
    assert.equal(toKeyPart('a'), toKeyPart('a'));
  });
});

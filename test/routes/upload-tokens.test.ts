import assert from 'node:assert/strict';
import { createHouse, type House } from '../helpers/house.ts';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { filePart, sendUpload, sha256, textParts } from '../helpers/send-upload.ts';
import { createTempFile, type TempFile } from '../helpers/temp-file.ts';

const OLD = 'pit-old-token-0001';
const NEW = 'pit-new-token-0002';
const png = fixture('picture.png');

describe('a token that is rotated while the server runs', () => {
  let file: TempFile;
  let house: House;
  beforeEach(async () => {
    file = await createTempFile(OLD);
    house = await createHouse({
      env: { LEADWAY_TOKEN: '', LEADWAY_TOKEN_FILE: file.path },
      sandbox: { token: OLD },
    });
    // The file is read in the background at the start; an upload later, that is over.
    assert.equal((await sendUpload(house, form())).status, 200);
    house.sandbox.requests.length = 0;
  });
  afterEach(async () => {
    await house[Symbol.asyncDispose]();
    await file[Symbol.asyncDispose]();
  });
  const form = (content = png, name = 'a.png') => [...textParts(house.fields), filePart(name, content)];
  const sentTokens = () => house.sandbox.requests.map(({ headers }) => headers['authorization']);

  it('makes a small upload go out once more, with the new token', async () => {
    house.sandbox.setToken(NEW);
    await file.write(`${NEW}\n`);
    const answer = await sendUpload(house, form());
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(sentTokens(), [`Bearer ${OLD}`, `Bearer ${NEW}`]);
    assert.equal(house.sandbox.requests[1]?.files?.[0]?.sha256, sha256(png));
    const [refused] = house.sandbox.requests;
    assert.equal(refused?.status, 401);
    assert(!house.log.lines.some((line) => line.includes(OLD) || line.includes(NEW)));
  });

  it('is used for the next upload when this one was streamed', async () => {
    house.sandbox.setToken(NEW);
    await file.write(NEW);
    const film = mp4(600_000);
    const first = await sendUpload(house, form(film, 'a.mp4'));
    assert.equal(first.status, 502, first.text);
    assert.equal(first.body.code, 'UPSTREAM_AUTH');
    const second = await sendUpload(house, form(film, 'a.mp4'));
    assert.equal(second.status, 200, second.text);
    assert.deepEqual(sentTokens(), [`Bearer ${OLD}`, `Bearer ${NEW}`]);
  });

  it('is not tried again when it is still the same', async () => {
    house.sandbox.setToken(NEW);
    const answer = await sendUpload(house, form());
    assert.equal(answer.status, 502);
    assert.equal(answer.body.code, 'UPSTREAM_AUTH');
    assert.equal(answer.body.retryable, false);
    assert.equal(house.sandbox.requests.length, 1);
  });

  it('is tried once and no more when the new one is bad too', async () => {
    house.sandbox.setToken('pit-another-token-0003');
    await file.write(NEW);
    const answer = await sendUpload(house, form());
    assert.equal(answer.status, 502);
    assert.equal(answer.body.code, 'UPSTREAM_AUTH');
    assert.equal(house.sandbox.requests.length, 2);
  });

  it('is not read again for a missing scope or a kind that is not accepted', async () => {
    await file.write(NEW);
    for (const fault of ['no-scope', 'auth-class'] as const) {
      house.sandbox.fault = fault;
      const before = house.sandbox.requests.length;
      const answer = await sendUpload(house, form());
      assert.equal(answer.body.code, 'UPSTREAM_AUTH');
      assert.equal(house.sandbox.requests.length, before + 1);
    }
  });

  it('stays in use when the file is broken or gone', async () => {
    for (const text of ['', 'two\nlines', 'bad token']) {
      await file.write(text);
      house.sandbox.fault = 'once-bad-token';
      const refused = await sendUpload(house, form());
      assert.equal(refused.body.code, 'UPSTREAM_AUTH', text);
      assert.equal((await sendUpload(house, form())).status, 200);
    }
  });
});

import assert from 'node:assert/strict';
import {
  assertRefused,
  call,
  fields,
  file,
  type Reply,
  seen,
  sendForm,
  sha256,
} from '../helpers/direct-steps.ts';
import { createHouse, type House } from '../helpers/house.ts';
import { mp4, type Part } from '../helpers/multipart.ts';

const FORWARD_MAX = 100_000;
const FALLBACK_MAX = 3_000_000;

describe('auto where Leadway does not offer direct uploads', () => {
  let house: House;
  let target: readonly Part[];
  beforeEach(async () => {
    house = await createHouse({
      env: {
        FORWARD_MAX_BYTES: String(FORWARD_MAX),
        FORWARD_FALLBACK_MAX_BYTES: String(FALLBACK_MAX),
      },
      sandbox: { fault: 'no-initiate' },
    });
    target = fields({ ...house.fields, channel: 'WHATSAPP' });
  });
  afterEach(() => house[Symbol.asyncDispose]());

  const announce = (bytes: number): Part[] => fields({ fileSize: bytes });
  const config = (): Promise<Reply> => call(`${house.api}/config`, { method: 'GET' });

  function assertForwarded({ status, body, text }: Reply, content: Buffer): void {
    assert.equal(status, 200, text);
    assert.equal(body.mode, 'forward');
    assert.equal(seen(house, 'upload').at(-1)?.files?.[0]?.sha256, sha256(content));
  }

  for (const [how, before] of [
    ['declared', true],
    ['announced by the length of the body', false],
  ] as const) {
    it(`forwards what is larger than usual, its size ${how}`, async () => {
      const film = mp4(2_000_000);
      const parts = [...target, ...(before ? announce(film.length) : []), file('film.mp4', film)];
      assertForwarded(await sendForm(house, parts), film);
      assert.equal(seen(house, 'initiate').length, 1);
      await house.assertTidy({ completeUploads: 1 });
    });
  }

  it('goes on forwarding a file that passes the usual limit on its way', async () => {
    const film = mp4(400_000);
    assertForwarded(await sendForm(house, [...target, file('film.mp4', film)]), film);
    assert.equal(seen(house, 'initiate').length, 1);
    await house.assertTidy({ completeUploads: 1 });
  });

  it('remembers it, and says it in the log once', async () => {
    const film = mp4(400_000);
    for (let count = 0; count < 3; count++) {
      assertForwarded(await sendForm(house, [...target, file('film.mp4', film)]), film);
    }
    assertForwarded(await sendForm(house, [...target, file('film.mp4', film)], { chunked: true }), film);
    assert.equal(seen(house, 'initiate').length, 1);
    const said = house.log.lines.filter((line) => line.includes('does not offer direct uploads'));
    assert.equal(said.length, 1);
    await house.assertTidy({ completeUploads: 4 });
  });

  it('takes exactly the limit of this, and no byte more', async () => {
    const film = mp4(FALLBACK_MAX);
    assertForwarded(
      await sendForm(house, [...target, ...announce(film.length), file('film.mp4', film)]),
      film,
    );
    for (const parts of [
      [...target, ...announce(FALLBACK_MAX + 1), file('film.mp4', mp4(5_000))],
      [...target, file('film.mp4', mp4(FALLBACK_MAX + 1))],
    ]) {
      const details = assertRefused(await sendForm(house, parts), 413, 'FILE_TOO_LARGE');
      assert.deepEqual(details, { limit: FALLBACK_MAX, channel: 'WHATSAPP' });
    }
    await house.assertTidy({ completeUploads: 1 });
  });

  it('refuses at the first asking what is larger than this, and not in the middle', async () => {
    const parts = [...target, ...announce(FALLBACK_MAX + 1), file('film.mp4', mp4(5_000))];
    const details = assertRefused(await sendForm(house, parts), 413, 'FILE_TOO_LARGE');
    assert.deepEqual(details, { limit: FALLBACK_MAX, channel: 'WHATSAPP' });
    await house.assertTidy();
  });

  it('tells clients', async () => {
    const offered = (await config()).text;
    assert.deepEqual(JSON.parse(offered).modes, ['auto', 'forward', 'direct', 'relay']);
    assert.equal(JSON.parse(offered).limits.forwardMaxBytes, FORWARD_MAX);
    await sendForm(house, [...target, file('film.mp4', mp4(400_000))]);
    const fallen = (await config()).text;
    assert.deepEqual(JSON.parse(fallen).modes, ['auto', 'forward']);
    assert.equal(JSON.parse(fallen).limits.forwardMaxBytes, FALLBACK_MAX);
    await house.assertTidy({ completeUploads: 1 });
  });

  it('does not stand in for a way that was asked for by name', async () => {
    const parts = [...target, file('note.txt', 'hello')];
    for (const mode of ['direct', 'relay', 'direct', 'relay']) {
      const reply = await sendForm(house, parts, { path: `?mode=${mode}` });
      assert.deepEqual(assertRefused(reply, 502, 'DIRECT_UNAVAILABLE'), { use: 'forward' });
    }
    const large = [...target, file('film.mp4', mp4(400_000))];
    assertRefused(await sendForm(house, large, { path: '?mode=forward' }), 413, 'FILE_TOO_LARGE');
    await house.assertTidy();
  });

  it('says that direct is not offered to whoever sent the head alone, counting on it', async () => {
    const head = file('film.mp4', mp4(4_100));
    for (const length of [2_000_000, 2_000_000]) {
      const reply = await sendForm(house, [...target, ...announce(length), head]);
      assert.deepEqual(assertRefused(reply, 502, 'DIRECT_UNAVAILABLE'), { use: 'forward' });
    }
    const small = await sendForm(house, [...target, ...announce(FORWARD_MAX), head]);
    assertRefused(small, 400, 'SIZE_MISMATCH');
    const large = await sendForm(house, [...target, ...announce(FALLBACK_MAX + 1), head]);
    assertRefused(large, 413, 'FILE_TOO_LARGE');
    await house.assertTidy();
  });

  it('forwards for either id then, and asks for one of them where neither came', async () => {
    const film = file('film.mp4', mp4(400_000));
    const announced = { fileSize: 400_000 };
    const refused = await sendForm(house, [...fields(announced), film]);
    assert.deepEqual(assertRefused(refused, 400, 'MISSING_FIELD')['fields'], ['conversationId', 'contactId']);
    for (const name of ['conversationId', 'contactId'] as const) {
      const reply = await sendForm(house, [...fields({ [name]: house.sandbox[name], ...announced }), film]);
      assert.equal(reply.status, 200, reply.text);
    }
    await house.assertTidy({ completeUploads: 2 });
  });

  it('is not caused by a failure of another kind', async () => {
    house.sandbox.fault = 'initiate-bad-token';
    const parts = [...target, ...announce(400_000), file('film.mp4', mp4(400_000))];
    assertRefused(await sendForm(house, parts), 502, 'UPSTREAM_AUTH');
    house.sandbox.fault = null;
    assert.equal((await sendForm(house, parts)).status, 202);
    await house.assertTidy();
  });
});

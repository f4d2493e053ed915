import assert from 'node:assert/strict';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';
import { read } from './documents.ts';

type UploadFromPage = (file: File, to: Record<string, string>) => Promise<Record<string, string>>;

/** The README's function for browsers, with a `fetch` that knows where its page is. */
function uploadAsOn(testServer: TestServer): UploadFromPage {
  const source = /```js\n(async function upload.*?)```/s.exec(read('README.md'))?.[1];
  assert(source !== undefined);
  const fetchFromPage = (address: string, init: RequestInit) => fetch(new URL(address, testServer.url), init);
  return new Function('fetch', `${source}; return upload;`)(fetchFromPage) as UploadFromPage;
}

describe('the function for browsers in README.md', () => {
  it('uploads a small file and a large one', async () => {
    await using testServer = await createTestServer();
    const upload = uploadAsOn(testServer);
    const picture = new File([fixture('picture.png')], 'a.png', { type: 'image/png' });
    assert.deepEqual(Object.keys(await upload(picture, testServer.fields)), ['a.png']);
    const film = new File([mp4(8_000_000)], 'b.mp4', { type: 'video/mp4' });
    const url = (await upload(film, { ...testServer.fields, channel: 'WHATSAPP' }))['b.mp4'];
    assert(url !== undefined);
    assert.equal((await (await fetch(url)).arrayBuffer()).byteLength, film.size);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('throws what the server says', async () => {
    await using testServer = await createTestServer();
    const upload = uploadAsOn(testServer);
    const disguised = new File([fixture('picture.png')], 'a.jpg');
    await assert.rejects(upload(disguised, testServer.fields), { code: 'TYPE_MISMATCH', status: 415 });
    await testServer.assertClean();
  });
});

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { describeInBrowsers } from '../helpers/browser.ts';
import { seen, sha256 } from '../helpers/direct-steps.ts';
import { fixture } from '../helpers/multipart.ts';
import { openStage, type ServedStage } from './stage.ts';

/** By extension: a real file that has it, and the type under which Leadway is to get it. */
const TYPES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  jpg: ['picture.jpg', 'image/jpeg'],
  jpeg: ['progressive.jpeg', 'image/jpeg'],
  png: ['picture.png', 'image/png'],
  mp4: ['moov-last.mp4', 'video/mp4'],
  mpeg: ['elementary-mpeg2.mpeg', 'video/mpeg'],
  mpg: ['program-mpeg2.mpg', 'video/mpeg'],
  zip: ['archive.zip', 'application/zip'],
  rar: ['rar5.rar', 'application/vnd.rar'],
  pdf: ['writer.pdf', 'application/pdf'],
  doc: ['document.doc', 'application/msword'],
  docx: ['document.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  txt: ['utf8.txt', 'text/plain'],
  mp3: ['id3v2.mp3', 'audio/mpeg'],
  vcf: ['contact.vcf', 'text/vcard'],
  wav: ['tone.wav', 'audio/wav'],
};

describeInBrowsers('a file from the chooser arrives', (browser) => {
  let stage: ServedStage;
  before(async () => {
    stage = await openStage(browser(), 'same origin', {
      env: { ALLOWED_TYPES: Object.keys(TYPES).join() },
    });
  });
  beforeEach(() => stage.testServer.sandbox.reset());
  after(() => stage?.[Symbol.asyncDispose]());

  for (const mode of ['forward', 'direct'] as const) {
    describe(`by ${mode}, whatever its type`, () => {
      for (const [extension, [name, type]] of Object.entries(TYPES)) {
        it(extension, () => arrives(mode, name, type));
      }
    });
  }

  async function arrives(mode: 'forward' | 'direct', name: string, type: string): Promise<void> {
    await stage.pick(pathOf(name));
    await stage.begin({ mode });
    const { url } = await stage.done();
    const content = fixture(name);
    const { testServer } = stage;
    if (mode === 'forward') {
      const [file] = seen(testServer, 'upload')[0]?.files ?? [];
      assert.deepEqual([file?.name, file?.contentType, file?.sha256], [name, type, sha256(content)]);
    } else assert.equal(seen(testServer, 'put')[0]?.headers['content-type'], type);
    assert.deepEqual(Buffer.from(await (await fetch(url)).arrayBuffer()), content);
    await testServer.assertClean({ completeUploads: mode === 'forward' ? 1 : 0 });
  }
});

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../fixtures/types/${name}`, import.meta.url));
}

import assert from 'node:assert/strict';
import { createRandom, randomBytes } from '../helpers/random.ts';
import { localEntry, type ZipFile, zipOf } from '../helpers/zip.ts';
import { checkStream, inPiecesOf } from '../server/file-types/checking.ts';

const NAME = '[Content_Types].xml';
const WORD = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml';
const MACROS = 'application/vnd.ms-word.document.macroEnabled.main+xml';
const PROJECT = 'application/vnd.ms-office.vbaProject';

/** More than is kept of a file's end. */
const LONG: ZipFile = {
  name: 'word/media/film.bin',
  content: Buffer.concat(Array.from({ length: 30 }, () => randomBytes(50_000, createRandom(7)))),
  isStored: true,
};
const MAIN: ZipFile = { name: 'word/document.xml', content: '<w:document/>' };
const SHORT: ZipFile = { name: 'word/media/picture.bin', content: randomBytes(6_000, createRandom(1)) };

function typesXml(mainType: string, more = ''): string {
  return `<?xml version="1.0"?><Types><Override PartName="/word/document.xml" ContentType="${mainType}"/>${more}</Types>`;
}

function list(content: string | Buffer, isStored = false): ZipFile {
  return { name: NAME, content, isStored };
}

/** What is said of `files` as a DOCX, however it is cut: null, or the kind that was seen. */
async function detectedIn(files: readonly ZipFile[]): Promise<string | null> {
  return detectedInBytes(zipOf(files));
}

async function detectedInBytes(docx: Buffer): Promise<string | null> {
  const found = new Set<string | null>();
  for (const pieces of [997, 65_536, docx.length]) {
    const problem = await checkStream(docx, { filename: 'a.docx' }, (bytes) => inPiecesOf(pieces, bytes));
    found.add(problem && (problem.details.detected ?? 'something'));
  }
  assert.equal(found.size, 1, 'the same result for every size of pieces');
  return [...found][0] ?? null;
}

/** Every place where a package may have its list. */
function places(types: ZipFile): readonly (readonly ZipFile[])[] {
  return [
    [types, MAIN],
    [SHORT, types, MAIN],
    [types, MAIN, LONG],
    [SHORT, types, MAIN, LONG],
    [LONG, types, MAIN, LONG],
    [LONG, MAIN, types],
  ];
}

describe('a DOCX with hidden macros', () => {
  it('passes without them, wherever its list of content types lies', async () => {
    for (const isStored of [false, true]) {
      for (const files of places(list(typesXml(WORD), isStored))) {
        assert.equal(await detectedIn(files), null, files.map(({ name }) => name).join());
      }
    }
  });

  it('is found by the type of its main part behind the head', async () => {
    for (const files of places(list(typesXml(MACROS)))) {
      assert.match(String(await detectedIn(files)), /macroEnabled/, files.map(({ name }) => name).join());
    }
  });

  it('is found by the type of its project under another name', async () => {
    const more = `<Override PartName="/word/settings.bin" ContentType="${PROJECT}"/>`;
    for (const files of places(list(typesXml(WORD, more)))) {
      const project = { name: 'word/settings.bin', content: 'project' };
      assert.match(String(await detectedIn([...files, project])), /macroEnabled/);
    }
  });

  it('is found when its list is written in another way', async () => {
    const more = (type: string) => `<Default Extension="bin" ContentType="${type}"/>`;
    const hidden = [
      Buffer.from(typesXml(WORD, more(PROJECT.replace('P', '&#80;')))),
      Buffer.from(typesXml(WORD, more(PROJECT.replace('P', '&#x50;')))),
      Buffer.from(`\ufeff${typesXml(WORD, more(PROJECT))}`, 'utf16le'),
      Buffer.from(`\ufeff${typesXml(WORD, more(PROJECT))}`, 'utf16le').swap16(),
      Buffer.from(typesXml(WORD, more(PROJECT.toUpperCase()))),
    ];
    for (const content of hidden)
      assert.match(String(await detectedIn([SHORT, list(content), MAIN])), /macroEnabled/);
  });

  it('is not a DOCX when its list has a DTD, names no main part, is not there, or is there twice', async () => {
    const dtd = typesXml(WORD, '<Default Extension="bin" ContentType="&x;"/>').replace(
      '<Types>',
      '<!DOCTYPE Types [<!ENTITY x "y">]><Types>',
    );
    const cases: ZipFile[][] = [
      [SHORT, list(dtd), MAIN],
      [SHORT, list(typesXml('text/xml')), MAIN],
      [SHORT, MAIN],
      [SHORT, list(typesXml(WORD)), MAIN, list(typesXml(MACROS))],
      [SHORT, list(typesXml(WORD)), MAIN, { ...list(typesXml(MACROS)), name: NAME.toUpperCase() }],
    ];
    for (const files of cases) assert.equal(await detectedIn(files), 'application/zip');
  });

  it('is judged by the list that the directory points to, not by one that only looks like it', async () => {
    const decoy: ZipFile = {
      name: 'word/media/a.bin',
      content: localEntry(list(typesXml(WORD), true)),
      isStored: true,
    };
    for (const files of [
      [decoy, SHORT, list(typesXml(MACROS)), MAIN, LONG],
      [decoy, decoy, SHORT, list(typesXml(MACROS)), MAIN, LONG],
    ]) {
      assert.match(String(await detectedIn(files)), /macroEnabled/);
    }
  });

  it('is not a DOCX when its list can not be read: encrypted, broken, or hidden by more of its kind than are kept', async () => {
    const docx = zipOf([SHORT, list(typesXml(MACROS)), MAIN]);
    const header = docx.indexOf(NAME) - 30;
    const encrypted = Buffer.from(docx);
    encrypted.writeUInt16LE(1, header + 6);
    const broken = Buffer.from(docx).fill(0xff, header + 30 + NAME.length, header + 60 + NAME.length);
    for (const bytes of [encrypted, broken]) assert.equal(await detectedInBytes(bytes), 'application/zip');
    const decoys = Array.from({ length: 9 }, (_, index) => ({
      name: `word/media/${index}.bin`,
      content: localEntry(list(typesXml(WORD), true)),
      isStored: true,
    }));
    assert.equal(await detectedIn([SHORT, ...decoys, list(typesXml(MACROS)), MAIN, LONG]), 'application/zip');
  });
});

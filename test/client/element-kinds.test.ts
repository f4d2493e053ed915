import assert from 'node:assert/strict';
import request from 'supertest';
import { describeLimits, iconOf, typesFor } from '../../client/element/kinds.ts';
import { type Language, TEXTS } from '../../client/element/texts.ts';
import type { ClientConfig } from '../../client/types.ts';
import { createTestServer } from '../helpers/test-server.ts';

/** What a server says that accepts every type that there is. */
async function readConfig(env: Record<string, string> = {}): Promise<ClientConfig> {
  await using testServer = await createTestServer({
    env: { ALLOWED_TYPES: '+image,+video,+audio,+office,+text,+archive,+contact', ...env },
  });
  return (await request(testServer.api).get('/config').expect(200)).body;
}

/** The line below the buttons, for the files that `accept` names. */
function limitsOf(config: ClientConfig, channel: string, { accept = '', language = 'en' as Language } = {}) {
  const speech = { texts: TEXTS[language], language };
  return describeLimits(config, typesFor(config, accept), { channel }, speech).replaceAll('\u00a0', ' ');
}

describe('the kinds of files that the element knows', () => {
  it('give every type that an operator can add an icon', async () => {
    const { types } = await readConfig();
    const icons: Record<string, string[]> = {};
    for (const extension of types.flatMap(({ extensions }) => extensions)) {
      const icon = iconOf({ name: `a.${extension}`, type: '' }, types);
      icons[icon] = [...(icons[icon] ?? []), extension];
    }
    assert.deepEqual(icons, {
      image: ['jpg', 'jpeg', 'png', 'gif', 'heic'],
      video: ['mp4', 'mpeg', 'mpg', '3gp'],
      zip: ['zip', 'rar'],
      document: [
        ...['pdf', 'doc', 'docx', 'txt', 'vcf', 'vcard', 'csv', 'xls', 'xlsx', 'ppt', 'pptx', 'odt', 'ics'],
      ],
      audio: ['mp3', 'wav', 'aiff', 'aif', 'ogg', 'aac', 'm4a', 'amr'],
    });
  });

  it('give a file that the server does not know the icon of what the browser says', () => {
    const icons = [
      ['a.webp', 'image/webp'],
      ['a.MOV', 'video/quicktime'],
      ['a.rar', ''],
      ['a', ''],
      ['a.exe', 'application/x-msdownload'],
    ].map(([name = '', type = '']) => iconOf({ name, type }));
    assert.deepEqual(icons, ['image', 'video', 'zip', 'document', 'document']);
  });

  it('have names in both languages, those of people where there is one', async () => {
    const config = await readConfig();
    assert.equal(
      limitsOf(config, 'FB'),
      'Pictures, videos, audio, PDF, Word, Excel, PowerPoint, text, ZIP, RAR, contacts, calendar entries, CSV, and ODT. Up to 5 MB each.',
    );
    assert.equal(
      limitsOf(config, 'FB', { accept: '.heic,.m4a,.xlsx,.ics,.odt', language: 'es' }),
      'Imágenes, audio, Excel, citas y ODT. Hasta 5 MB cada uno.',
    );
  });
});

describe('the limit that the element names', () => {
  it('says what the channel delivers where that is less than what can be uploaded', async () => {
    const config = await readConfig();
    assert.equal(
      limitsOf(config, 'whatsapp', { accept: 'image/*,video/*,audio/*,.pdf' }),
      'Pictures, videos, audio, and PDF. Up to 100 MB each. This channel delivers at most: pictures 5 MB, videos 16 MB, and audio 16 MB.',
    );
    assert.equal(
      limitsOf(config, 'WHATSAPP', { accept: 'video/*,.pdf', language: 'es' }),
      'Videos y PDF. Hasta 100 MB cada uno. Este canal entrega como máximo: videos 16 MB.',
    );
    assert.equal(limitsOf(config, 'WHATSAPP', { accept: '.pdf' }), 'PDF. Up to 100 MB each.');
    for (const channel of ['SMS', 'EMAIL', 'FB', '']) {
      assert.equal(limitsOf(config, channel, { accept: '.pdf,.jpg' }), 'Pictures and PDF. Up to 5 MB each.');
    }
  });

  it('says what a message may have in all where a server uploads larger files', async () => {
    const config = await readConfig({ FORWARD_MAX_BYTES: '16777216' });
    assert.equal(
      limitsOf(config, 'SMS', { accept: '.pdf' }),
      'PDF. Up to 16 MB each. This channel delivers at most: files 5 MB.',
    );
  });
});

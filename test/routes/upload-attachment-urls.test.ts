import assert from 'node:assert/strict';
import { fixture, mp4, type Part } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

describe('attachmentUrls of an upload', () => {
  let testServer: TestServer;
  let fields: Part[];
  const picture = filePart('a.png', fixture('picture.png'));
  const film = filePart('film.mp4', mp4(600_000));
  const url = (content: string, name = 'attachmentUrls'): Part => ({ name, content });
  beforeEach(async () => {
    testServer = await createTestServer({
      env: { ATTACHMENT_URL_ORIGINS: 'https://files.example.com,https://cdn.example.com:8443' },
    });
    fields = textParts(testServer.fields);
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  it('reach Leadway once each and in their order, early and late ones alike', async () => {
    const early = [url('https://files.example.com/1.png'), url('https://files.example.com/2.png')];
    const late = [
      url('https://cdn.example.com:8443/3.png', 'attachmentUrls[]'),
      url('https://files.example.com/1.png'),
    ];
    for (const file of [picture, film]) {
      const response = await sendUpload(testServer, [...fields, ...early, file, ...late]);
      assert.equal(response.status, 200, response.text);
      assert.deepEqual(
        testServer.sandbox.requests.at(-1)?.fields?.['attachmentUrls'],
        [...early, ...late].map(({ content }) => content),
      );
    }
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('may be written with brackets', async () => {
    const form = [...fields, url('https://files.example.com/1.png', 'attachmentUrls[]'), picture];
    const response = await sendUpload(testServer, form);
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(testServer.sandbox.requests[0]?.fields?.['attachmentUrls'], [
      'https://files.example.com/1.png',
    ]);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('may be numbered, as form libraries write lists', async () => {
    const urls = ['1', '2', '3'].map((name) => `https://files.example.com/${name}.png`);
    const parts = urls.map((content, index) =>
      url(content, `attachmentUrls[${index === 2 ? 4294967294 : index}]`),
    );
    const response = await sendUpload(testServer, [...fields, ...parts, picture]);
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(testServer.sandbox.requests[0]?.fields?.['attachmentUrls'], urls);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('are checked under every name that they may have', async () => {
    for (const name of ['attachmentUrls[]', 'attachmentUrls[0]', 'attachmentUrls[17]']) {
      const response = await sendUpload(testServer, [
        ...fields,
        url('https://evil.example/1.png', name),
        picture,
      ]);
      assert.equal(response.body.code, 'INVALID_FIELD', name);
      assert.equal(response.body.details?.['field'], 'attachmentUrls');
    }
    await testServer.assertClean();
  });

  it('count as not given when they are one empty value or an empty list', async () => {
    for (const name of ['attachmentUrls', 'attachmentUrls[]', 'attachmentUrls[0]']) {
      for (const content of ['', '[]']) {
        const response = await sendUpload(testServer, [...fields, url(content, name), picture]);
        assert.equal(response.status, 200, response.text);
        assert.equal(testServer.sandbox.requests.at(-1)?.fields?.['attachmentUrls'], undefined);
      }
    }
    await testServer.assertClean({ completeUploads: 6 });
  });

  it('are one list: other fields are not read by brackets', async () => {
    for (const name of ['contactId[]', 'contactId[0]', 'attachmentUrls[x]', 'attachmentUrls[0][a]']) {
      const response = await sendUpload(testServer, [
        ...fields,
        url('https://evil.example/1.png', name),
        picture,
      ]);
      assert.equal(response.status, 200, response.text);
    }
    await testServer.assertClean({ completeUploads: 4 });
  });

  it('are rejected when they are of another origin or no https URL', async () => {
    const bad = [
      'http://files.example.com/1.png',
      'https://files.example.com:444/1.png',
      'https://evil.example/1.png',
      'https://files.example.com.evil.example/1.png',
      'https://files.example.com@evil.example/1.png',
      'https://user@files.example.com/1.png',
      'https://user:pass@files.example.com/1.png',
      '//files.example.com/1.png',
      '/1.png',
      'files.example.com',
      'javascript:alert(1)',
      'blob:https://files.example.com/1',
      'data:image/png;base64,AA==',
      'https://',
    ];
    for (const content of bad) {
      for (const form of [
        [...fields, url(content), picture],
        [...fields, film, url(content)],
      ]) {
        const response = await sendUpload(testServer, form);
        assert.equal(response.status, 400, content);
        assert.equal(response.body.code, 'INVALID_FIELD');
        assert.equal(response.body.details?.['field'], 'attachmentUrls');
      }
    }
    await testServer.assertClean();
  });

  it('do not take the place of a file', async () => {
    const response = await sendUpload(testServer, [...fields, url('https://files.example.com/1.png')]);
    assert.equal(response.status, 400);
    assert.equal(response.body.code, 'NO_FILE');
    await testServer.assertClean();
  });

  it('are rejected altogether where no origin is listed', async () => {
    await using closed = await createTestServer();
    const form = [...textParts(closed.fields), url('https://files.example.com/1.png'), picture];
    const response = await sendUpload(closed, form);
    assert.equal(response.status, 400);
    assert.equal(response.body.code, 'INVALID_FIELD');
    await closed.assertClean();
  });
});

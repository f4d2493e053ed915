import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { AppError, appError } from '../../../server/errors/app-error.ts';
import { FileStream } from '../../../server/uploads/file-stream.ts';
import { InitiateForm } from '../../../server/uploads/initiate.ts';
import { createTestServer, type TestServer } from '../../helpers/test-server.ts';

describe('a form with the leading bytes of a file', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer();
  });
  beforeEach(() => testServer.sandbox.reset());
  after(() => testServer[Symbol.asyncDispose]());

  function createForm(): InitiateForm {
    return new InitiateForm(testServer.server.context.uploads, {
      client: { id: 'ip:127.0.0.1', locations: null, isByCookie: false },
    });
  }

  function part(content: string | Buffer) {
    return {
      filename: 'note.txt',
      declaredType: null,
      stream: FileStream.of(Readable.from([Buffer.from(content)])),
      offset: 0,
    };
  }

  function code(expected: string): (error: unknown) => boolean {
    return (error) => error instanceof AppError && error.code === expected;
  }

  it('settles once: what fails later changes nothing', async () => {
    const form = createForm();
    form.fieldsChanged({ conversationId: testServer.sandbox.conversationId });
    await form.receiveFile(part('hello'));
    form.onFormEnd();
    assert.equal((await form.response).contentType, 'text/plain');
    form.fail(appError('INTERNAL'));
    assert.equal((await form.response).filename, 'note.txt');
    assert(form.signal.aborted);
  });

  it('asks nothing once it has failed', async () => {
    const form = createForm();
    form.fail(appError('REQUEST_TIMEOUT'));
    form.fieldsChanged({ conversationId: testServer.sandbox.conversationId });
    await assert.rejects(form.receiveFile(part('hello')), AppError);
    form.onFormEnd();
    await assert.rejects(form.response, code('REQUEST_TIMEOUT'));
    assert.deepEqual(testServer.sandbox.requests, []);
  });

  it('rejects more than leading bytes', async () => {
    const form = createForm();
    const pieces = Array.from({ length: 200 }, () => Buffer.alloc(1_024, 'a'));
    const stream = FileStream.of(Readable.from(pieces));
    await assert.rejects(form.receiveFile({ ...part(''), stream }), code('BODY_TOO_LARGE'));
    await assert.rejects(form.response, code('BODY_TOO_LARGE'));
  });

  it('takes one file', async () => {
    const form = createForm();
    await form.receiveFile(part('one'));
    await assert.rejects(form.receiveFile(part('two')), code('TOO_MANY_FILES'));
  });
});

import assert from 'node:assert/strict';
import Uppy from '@uppy/core';
import XHRUpload, { type XHRUploadOptions } from '@uppy/xhr-upload';
import type { DropzoneOptions } from 'dropzone';
import type { FilePondOptions } from 'filepond';
import { createUploader } from '../../client/index.ts';
import { type DropzoneLike, dropzoneOptions } from '../../client/presets/dropzone.ts';
import { filePondOptions } from '../../client/presets/filepond.ts';
import { xhrUploadOptions } from '../../client/presets/uppy.ts';

const ids = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01' };

/** Most of this is for the compiler; what the presets do is tried in browsers by test/guides. */
describe('the presets for upload kits', () => {
  it('are options by the types of Uppy', () => {
    const typed = new Uppy<typeof ids, { url: string }>({ meta: ids });
    const options: XHRUploadOptions<typeof ids, { url: string }> = xhrUploadOptions(typed);
    assert.equal(options.bundle, false);
    typed.use(XHRUpload, { ...xhrUploadOptions(typed), limit: 3 });
    const plain = new Uppy({ meta: ids });
    plain.use(XHRUpload, xhrUploadOptions(plain, { endpoint: '/api' }));
    assert.equal(plain.getPlugin('XHRUpload')?.opts['fieldName'], 'fileAttachment');
  });

  it('are options by the types of FilePond', () => {
    const options: FilePondOptions = { ...filePondOptions(createUploader(), ids), allowMultiple: true };
    assert.equal(options.labelFileProcessingError instanceof Function, true);
  });

  it('are options by the types of Dropzone', () => {
    const options: DropzoneOptions = {
      ...dropzoneOptions(createUploader(), () => ids),
      addRemoveLinks: true,
    };
    assert.equal(options.maxFilesize, 0);
  });

  it('let no preview that can’t be drawn speak for an upload in Dropzone', () => {
    const events: unknown[][] = [];
    const dropzone: DropzoneLike = {
      options: { dictThumbnailError: 'Failed to load the image.' },
      emit: (...event) => events.push(event),
      uploadFiles: () => {},
      processQueue: () => {},
    };
    dropzoneOptions(createUploader(), ids).init.call(dropzone);
    dropzone.emit('error', 'a file', 'Failed to load the image.');
    dropzone.emit('error', 'a file', 'The file is empty.', 'reason');
    dropzone.emit('thumbnail', 'a file', 'Failed to load the image.');
    assert.deepEqual(events, [
      ['error', 'a file', 'The file is empty.', 'reason'],
      ['thumbnail', 'a file', 'Failed to load the image.'],
    ]);
  });
});

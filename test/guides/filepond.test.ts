import { describeKit } from './kit-suite.ts';

const pond = {
  guide: 'filepond',
  input: '.filepond--browser',
  cancel: '.filepond--action-abort-item-processing',
  isCancelled: (page: import('puppeteer-core').Page) =>
    page.waitForFunction(`document.querySelector('.filepond--item') === null`),
};

describeKit('the guide for FilePond', { ...pond, urls: '#urls', errors: '.filepond--file-status-main' });
describeKit('the guide for FilePond with its own requests', {
  ...pond,
  entry: 'options-only.js',
  urls: '#urls',
  errors: '.filepond--file-status-main',
  isDirect: false,
});

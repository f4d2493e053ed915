import { describeKit } from './kit-suite.ts';

const drop = {
  guide: 'dropzone',
  input: '.dz-hidden-input',
  errors: '.dz-error [data-dz-errormessage]',
  cancel: '.dz-remove',
  isCancelled: (page: import('puppeteer-core').Page) =>
    page.waitForFunction(`document.querySelector('.dz-preview') === null`),
};

describeKit('the guide for Dropzone', { ...drop, urls: '#urls' });
describeKit('the guide for Dropzone with its own requests', {
  ...drop,
  entry: 'options-only.js',
  urls: '#urls',
  isDirect: false,
});

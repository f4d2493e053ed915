import { describeKit } from './kit-suite.ts';

describeKit('the guide for Uppy', {
  guide: 'uppy',
  input: '.uppy-Dashboard-input',
  start: '.uppy-StatusBar-actionBtn--upload',
  urls: '#urls',
  errors: '#urls',
  cancel: '.uppy-StatusBar-actionCircleBtn[title=Cancel]',
  isCancelled: (page) => page.waitForFunction(`document.querySelector('.uppy-Dashboard-Item') === null`),
});

import { describeKit, type Kit } from './kit-suite.ts';

const POND: Kit = {
  guide: 'filepond',
  input: '.filepond--browser',
  urls: '#urls',
  errors: '.filepond--file-status-main',
  cancel: '.filepond--action-abort-item-processing',
  isCancelled: (page) => page.waitForFunction(`document.querySelector('.filepond--item') === null`),
};

describeKit('the guide for FilePond', POND, ['chromium']);
describeKit(
  'the guide for FilePond with its own requests',
  { ...POND, entry: 'options-only.ts', sendsItself: true, isDirect: false, isOffering: false },
  ['chromium'],
);

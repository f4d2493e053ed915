import { describeKit, type Kit } from './kit-suite.ts';

const DROPZONE: Kit = {
  guide: 'dropzone',
  input: '.dz-hidden-input',
  urls: '#urls',
  errors: '.dz-error [data-dz-errormessage]',
  cancel: '.dz-remove',
  isCancelled: (page) => page.waitForFunction(`document.querySelector('.dz-preview') === null`),
};

describeKit('the guide for Dropzone', DROPZONE);
describeKit(
  'the guide for Dropzone with its own requests',
  { ...DROPZONE, entry: 'options-only.ts', sendsItself: true, isDirect: false, isOffering: false },
  ['chromium'],
);

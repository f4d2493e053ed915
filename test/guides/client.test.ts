import { describeKit, textBecomes } from './kit-suite.ts';

describeKit('the guide for our own client', {
  guide: 'client',
  input: '#files',
  urls: '#list',
  errors: '#list',
  cancel: '#list button',
  isCancelled: (page) => textBecomes(page, '#list', /cancelled/),
});

import { describeKit, textBecomes } from './kit-suite.ts';

describeKit('the guide for plain fetch', {
  guide: 'fetch',
  input: '#files',
  sendsItself: true,
  urls: '#list',
  errors: '#list',
  cancel: '#list button',
  isCancelled: (page) => textBecomes(page, '#list', /cancelled/),
});

import { describeKit } from './kit-suite.ts';

describeKit('the guide for React', {
  guide: 'react',
  entry: 'main.jsx',
  input: '#app input',
  urls: '#app a',
  errors: '#app [role=alert]',
  cancel: '#app button',
  isCancelled: (page) => page.waitForSelector('#app li.cancelled'),
});

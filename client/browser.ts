/** Everything that `/client.js` exports to pages without a bundler. */
export * from './index.ts';
export * from './store.ts';

import process from 'node:process';

/**
 * `node:http` and `node:https` for who needs more than their types. An `import` of either reads all that it
 * exports, `WebSocket` among it, and that loads the whole of undici: 40 ms of every start.
 */
export const http = process.getBuiltinModule('node:http');
export const https = process.getBuiltinModule('node:https');

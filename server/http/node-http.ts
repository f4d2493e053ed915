import process from 'node:process';

/**
 * `node:http` and `node:https`, for code that needs more than their types. An `import` reads all of their exports, and
 * `WebSocket` among them loads the whole of undici: 40 ms of every start.
 */
export const http = process.getBuiltinModule('node:http');
export const https = process.getBuiltinModule('node:https');

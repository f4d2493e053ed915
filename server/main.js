import { keepCompiledCode } from './compile-cache.js';

// Up to here all is JavaScript: what is loaded before the cache is on is not kept, and for a single file whose types
// are to be stripped Node loads its parser of TypeScript, which costs 75 ms.
keepCompiledCode();
await import('./program.ts');

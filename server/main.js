import process from 'node:process';
import { keepCompiledCode } from './compile-cache.js';

// Node opens its inspector at SIGUSR1, where everybody on the machine can run code in this process. A listener keeps
// it shut; the program logs the signal later.
process.on('SIGUSR1', () => {});

// Up to here all is JavaScript: what is loaded before the cache is on is not kept, and for a single file whose types
// are to be stripped Node loads its parser of TypeScript, which costs 75 ms.
keepCompiledCode();
await import('./program.ts');

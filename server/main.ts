import { keepCompiledCode } from './compile-cache.ts';

// Before the program is loaded: what is loaded earlier is not kept.
keepCompiledCode();
await import('./program.ts');

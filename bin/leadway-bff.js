#!/usr/bin/env node
import './preflight.js';

await import('../dist/main.js');

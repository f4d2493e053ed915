// The same program for who starts it by this name; it takes somewhat longer, see there.
// biome-ignore lint/correctness/useImportExtensions: that one is JavaScript
import './main.js';

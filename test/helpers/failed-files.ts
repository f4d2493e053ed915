import { appendFileSync } from 'node:fs';
import type { Context } from 'mocha';

/**
 * A mocha plugin for `.ci/run`: writes the file and title of each failed test to the file that FAILED_TESTS names,
 * one line a test, separated by a tab. Does nothing without that variable.
 */
const list = process.env.FAILED_TESTS;

export const mochaHooks = {
  afterEach(this: Context) {
    const test = this.currentTest;
    if (list && test?.state === 'failed') appendFileSync(list, `${test.file}\t${test.fullTitle()}\n`);
  },
};

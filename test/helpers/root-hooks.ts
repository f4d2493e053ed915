import { appendFileSync } from 'node:fs';
import process from 'node:process';
import type { Context } from 'mocha';

/** For `.ci/run`: where to write the file and title of each failed test, a line each with a tab between them. */
const FAILED_TESTS = process.env['FAILED_TESTS'];
const { NODE_ENV } = process.env;

/** Vite sets it for its whole process: what another test bundles there would mix the builds of React. */
function restoreNodeEnv(): void {
  if (NODE_ENV === undefined) delete process.env['NODE_ENV'];
  else process.env['NODE_ENV'] = NODE_ENV;
}

/** Mocha's root hooks. */
export const mochaHooks = {
  afterEach(this: Context) {
    const test = this.currentTest;
    if (FAILED_TESTS && test?.state === 'failed') {
      appendFileSync(FAILED_TESTS, `${test.file}\t${test.fullTitle()}\n`);
    }
    restoreNodeEnv();
  },
  afterAll: restoreNodeEnv,
};

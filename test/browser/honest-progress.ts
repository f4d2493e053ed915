import assert from 'node:assert/strict';
import type { Sample } from './in-page.ts';

const PHASES = ['waiting', 'checking', 'uploading', 'confirming', 'done'];

/**
 * Asserts of the progress of an upload that has worked: within an attempt bytes only grow and phases only
 * advance, an attempt that follows begins again, and the last has passed every phase and sent every byte.
 */
export function assertHonest(samples: readonly Sample[], bytes: number): void {
  let before: Sample | undefined;
  for (const sample of samples) {
    const { attempt, loadedBytes, totalBytes, fraction, phase } = sample;
    const story = `${JSON.stringify(before)} → ${JSON.stringify(sample)}`;
    assert.equal(totalBytes, bytes, story);
    assert(loadedBytes >= 0 && loadedBytes <= bytes, story);
    assert(Math.abs(fraction - loadedBytes / bytes) < 1e-9, story);
    if (before !== undefined && attempt === before.attempt) {
      assert(loadedBytes >= before.loadedBytes, story);
      // An attempt that has failed waits for the next one.
      assert(phase === 'waiting' || PHASES.indexOf(phase) >= PHASES.indexOf(before.phase), story);
    } else if (before !== undefined) assert(attempt === before.attempt + 1 && loadedBytes === 0, story);
    before = sample;
  }
  assert.equal(before?.fraction, 1);
  const last = samples.filter(({ attempt }) => attempt === before?.attempt).map(({ phase }) => phase);
  assert.deepEqual(
    [...new Set(last)].filter((phase) => phase !== 'waiting'),
    PHASES.slice(1),
  );
}

import assert from 'node:assert/strict';
import type { TestServer } from '../../helpers/test-server.ts';

/** A time series: its name, its labels and its value. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What one scrape of `/metrics` brought. */
export interface Scrape {
  readonly text: string;
  readonly samples: readonly Sample[];
  /** The value of the one series with these labels; `undefined` when there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

/** Reads the metrics of a testServer that has an admin port. */
export async function scrape({ server }: TestServer): Promise<Scrape> {
  const response = await fetch(`${server.adminUrl}/metrics`);
  assert.equal(response.status, 200);
  const text = await response.text();
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseSample);
  return {
    text,
    samples,
    value(name, labels = {}) {
      const found = samples.filter(
        (sample) =>
          sample.name === `leadway_bff_${name}` &&
          Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      );
      assert(found.length < 2, `several series of ${name} with ${JSON.stringify(labels)}`);
      return found[0]?.value;
    },
  };
}

function parseSample(line: string): Sample {
  const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  assert(name !== '', line);
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [
    label,
    text,
  ]);
  return { name, labels: Object.fromEntries(pairs), value: Number(value) };
}

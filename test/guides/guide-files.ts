import { readdirSync } from 'node:fs';
import { ROOT, read } from '../documents/documents.ts';

/** Where the guides lie in the project. */
export const GUIDES = 'docs/guides/';

/** The guides by name: `fetch`, `uppy`, … */
export function guideNames(): string[] {
  return readdirSync(`${ROOT}${GUIDES}`)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => name.slice(0, -'.md'.length));
}

/** A fenced block of a guide; one with a name is a file of the page that the guide builds. */
export interface GuideBlock {
  readonly language: string;
  readonly file: string | null;
  readonly text: string;
}

/** The fenced blocks of a guide, in their order. */
export function guideBlocks(guide: string): GuideBlock[] {
  const blocks = read(`${GUIDES}${guide}.md`).matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms);
  return [...blocks].map(([, language = '', file, text = '']) => ({ language, file: file ?? null, text }));
}

/** The files that a guide builds, by name. */
export function guideFiles(guide: string): ReadonlyMap<string, string> {
  const named = guideBlocks(guide).filter(({ file }) => file !== null);
  return new Map(named.map(({ file, text }) => [String(file), text]));
}

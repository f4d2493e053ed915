import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the project, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The text of a file of the project. */
export function read(path: string): string {
  return readFileSync(`${ROOT}${path}`, 'utf8');
}

/** Whether a file or folder of the project is there. */
export function isThere(path: string): boolean {
  return existsSync(`${ROOT}${path}`);
}

/** The files that belong to the project: all but what `.gitignore` lists. */
export function projectFiles(): string[] {
  const ignored = read('.gitignore')
    .split('\n')
    .map((line) => line.replace(/^\/|\/$/g, ''));
  const isOurs = (path: string): boolean =>
    path !== '.git' && !ignored.includes(path) && !ignored.includes(`*${extname(path)}`);
  const walk = (folder: string): string[] =>
    readdirSync(`${ROOT}${folder}`, { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}${entry.name}`;
      if (!isOurs(path)) return [];
      return entry.isDirectory() ? walk(`${path}/`) : [path];
    });
  return walk('');
}

/** The documents of the project. */
export function documents(): string[] {
  return projectFiles().filter((path) => path.endsWith('.md'));
}

/** The cells of every table row of `text` that begins with a name in backticks. */
export function namedRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '));
}

/** What stands in backticks in `text`, outside of fenced blocks. */
export function quotedIn(text: string): string[] {
  return [...text.replace(/```.*?```/gs, '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

import { cpSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { TRACING_PACKAGES } from '../server/observability/tracing-packages.ts';

/**
 * Copies the packages that traces need, and what they depend on, to `node_modules` in the folder that the command line
 * names. The image has them; the published package does not depend on them.
 */
function copyTracing(target: string): void {
  const copied = new Set<string>();
  const copy = (name: string, from: string): void => {
    const folder = findPackage(name, from);
    if (folder === null || copied.has(folder)) return;
    copied.add(folder);
    const place = folder.slice(folder.indexOf('node_modules'));
    cpSync(folder, join(target, place), {
      recursive: true,
      dereference: true,
      // Nested packages come by their own names, and the rest is for developers.
      filter: (path) =>
        !/node_modules|\/build\/es(?:m|next)$/.test(path.slice(folder.length)) &&
        !/\.(?:map|d\.ts|md)$/.test(path),
    });
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    ) as Record<string, Record<string, string> | undefined>;
    for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) copy(needed, folder);
  };
  for (const name of TRACING_PACKAGES) copy(name, resolve('.'));
}

/** Where `name` is for a module in `from`, as Node looks it up; null for an optional package that is not installed. */
function findPackage(name: string, from: string): string | null {
  const folder = join(from, 'node_modules', name);
  if (existsSync(folder)) return folder;
  return dirname(from) === from ? null : findPackage(name, dirname(from));
}

const [, , target] = process.argv;
if (target === undefined) throw new TypeError('the command line must name a folder');
copyTracing(target);

import { FAMILIES, type Family } from '../file-types/file-type.ts';
import { ALL_EXTENSIONS, DEFAULT_ALLOWED, extensionsOfFamily } from '../file-types/file-types.ts';
import { bad, good, listOf, type Parsed, setOf } from './parsers.ts';

/** `jpg,pdf` replaces the default; `+gif,+office` adds to it. */
export function parseAllowedTypes(raw: string): Parsed<readonly string[]> {
  const items = raw.split(',').map((item) => item.trim());
  const additions = items.filter((item) => item.startsWith('+'));
  if (additions.length === 0) return setOf(parseExtension)(raw);
  if (additions.length < items.length) {
    return bad('must either list extensions (jpg,pdf) or add to the default (+gif,+office), not mix both');
  }
  const parsed = listOf(parseAddition)(raw);
  return parsed.ok ? good([...new Set([...DEFAULT_ALLOWED, ...parsed.value.flat()])]) : parsed;
}

function parseExtension(raw: string): Parsed<string> {
  const extension = raw.toLowerCase();
  return ALL_EXTENSIONS.includes(extension)
    ? good(extension)
    : bad(`must be a comma list of ${ALL_EXTENSIONS.join(', ')}, without dots`);
}

function parseAddition(raw: string): Parsed<readonly string[]> {
  const name = raw.slice(1).toLowerCase();
  const family = FAMILIES.find((candidate): candidate is Family => candidate === name);
  if (family !== undefined) return good(extensionsOfFamily(family));
  if (ALL_EXTENSIONS.includes(name)) return good([name]);
  return bad(
    `must add families (${FAMILIES.join(', ')}) or extensions (${ALL_EXTENSIONS.join(', ')}), as in +image,+csv`,
  );
}

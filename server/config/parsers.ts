import { FAMILIES, type Family } from '../file-types/file-type.ts';
import { ALL_EXTENSIONS, DEFAULT_ALLOWED, extensionsOfFamily } from '../file-types/file-types.ts';

/** The outcome of parsing a raw value. A problem never quotes the value: only the reader knows whether it is a secret. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      /** Follows the name of the variable: `must be …`. */
      readonly problem: string;
      /** The part at fault, if it is not the whole value. */
      readonly part?: string;
    };

export type Parser<T> = (raw: string) => Parsed<T>;

/** One thing that is wrong with the environment, without any secret in it. */
export interface ConfigProblem {
  /** The variable to change. */
  readonly name: string;
  /** Follows the name: `must be a whole number from 0 to 65535`. */
  readonly problem: string;
  /** The value as it may be shown. Absent for secrets and for variables that are not set. */
  readonly came?: string;
  /** A `NAME=value` that is accepted. */
  readonly example?: string;
}

export function good<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** Plain decimal digits in a range. Rejects `5MB`, `1e3`, `0x10`, `+5` and `007` instead of guessing. */
export function integer(min: number, max: number): Parser<number> {
  return function parseInteger(raw) {
    const value = /^(0|[1-9]\d{0,15})$/.test(raw) ? Number(raw) : Number.NaN;
    if (value >= min && value <= max) return good(value);
    return bad(`must be a whole number from ${min} to ${max}, in plain digits`);
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): Parser<T> {
  return function parseChoice(raw) {
    const choice = choices.find((candidate) => candidate === raw);
    return choice === undefined ? bad(`must be one of ${choices.join(', ')}`) : good(choice);
  };
}

/** Writes `values` as `a, b or c`. `Intl.ListFormat` would do it too, and take 28 ms of every start. */
export function toChoice(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

/** `on` or `off`. */
export function parseSwitch(raw: string): Parsed<boolean> {
  const parsed = oneOf('on', 'off')(raw);
  return parsed.ok ? good(parsed.value === 'on') : parsed;
}

/** Text that matches `pattern`; `wanted` completes "must be". */
export function matching(pattern: RegExp, wanted: string): Parser<string> {
  return function parseText(raw) {
    return pattern.test(raw) ? good(raw) : bad(`must be ${wanted}`);
  };
}

/** `off`, which becomes `whenOff`, or what `parse` takes. */
export function offOr<T, const Off>(parse: Parser<T>, whenOff: Off): Parser<T | Off> {
  return function parseOffOr(raw) {
    return raw === 'off' ? good(whenOff) : parse(raw);
  };
}

/** A comma list. Spaces around items are ignored; an empty item is rejected as a slip. */
export function listOf<T>(parse: Parser<T>): Parser<readonly T[]> {
  return function parseList(raw) {
    const values: T[] = [];
    for (const item of raw.split(',').map((part) => part.trim())) {
      if (item === '') return bad('must be a comma list without empty items');
      const parsed = parse(item);
      if (!parsed.ok) return { part: item, ...parsed };
      values.push(parsed.value);
    }
    return good(values);
  };
}

/** As `listOf`, without repetitions. */
export function setOf(parse: Parser<string>): Parser<readonly string[]> {
  const parseList = listOf(parse);
  return function parseSet(raw) {
    const parsed = parseList(raw);
    return parsed.ok ? good([...new Set(parsed.value)]) : parsed;
  };
}

export const parseFilePath = matching(/^[^\0]+$/, 'the path of a file');

// No dots, percent signs or double slashes: nothing that two routers might read differently.
const BASE_PATH = /^\/$|^(\/[A-Za-z0-9_-]+)+\/?$/;

/** The prefix of the API, without a slash at its end: `/` becomes the empty string. */
export function parseBasePath(raw: string): Parsed<string> {
  return BASE_PATH.test(raw)
    ? good(raw.replace(/\/$/, ''))
    : bad('must be a path that begins with /, of letters, digits, _ and - between single slashes');
}

const HTTP_TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
export const parseHeaderName = matching(HTTP_TOKEN, 'the name of a header');
export const parseCookieName = matching(HTTP_TOKEN, 'the name of a cookie');

/** The headers in which well-known authenticating proxies name the user. */
const USER_HEADERS: ReadonlyMap<string, string> = new Map([
  ['oauth2-proxy', 'X-Auth-Request-User'],
  ['authelia', 'Remote-User'],
]);

export function parseUserHeader(raw: string): Parsed<string> {
  const preset = USER_HEADERS.get(raw.toLowerCase());
  return preset === undefined ? parseHeaderName(raw) : good(preset);
}

export function parseChannel(raw: string): Parsed<string> {
  return /^[A-Za-z0-9_]{1,32}$/.test(raw)
    ? good(raw.toUpperCase())
    : bad('must be 1 to 32 letters, digits or _');
}

/** One call that may be passed through: `GET /conversations/:id`. */
export interface PassthroughRule {
  readonly method: string;
  readonly path: string;
}

const RULE = /^(GET|POST|PUT|PATCH|DELETE) ((?:\/(?::[A-Za-z][A-Za-z0-9_]*|[A-Za-z0-9_~.-]+))+)$/;

export function parsePassthroughRule(raw: string): Parsed<PassthroughRule> {
  const [, method, path] = RULE.exec(raw) ?? [];
  if (method === undefined || path === undefined || /\/\.{1,2}(\/|$)/.test(path)) {
    return bad('must be METHOD /path patterns between commas, a variable part written as :name');
  }
  return good({ method, path });
}

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

/** The shape of every id: of locations, conversations, contacts and users. */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

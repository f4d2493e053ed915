/** What a parser makes of a raw value. A problem never quotes the value: the client knows whether it may be shown. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      /** Read after the variable's name: `must be …`. */
      readonly problem: string;
      /** The part at fault, where that is not the whole value. */
      readonly part?: string;
    };

export type Parser<T> = (raw: string) => Parsed<T>;

export function good<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** Plain decimal digits in a range: `5MB`, `1e3`, `0x10`, `+5` and `007` are rejected, not guessed at. */
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

/** Text of a form; `wanted` completes "must be". */
export function matching(pattern: RegExp, wanted: string): Parser<string> {
  return function parseText(raw) {
    return pattern.test(raw) ? good(raw) : bad(`must be ${wanted}`);
  };
}

/** `off`, or what the other parser takes. */
export function offOr<T>(parse: Parser<T>): Parser<T | null> {
  return function parseOffOr(raw) {
    return raw === 'off' ? good(null) : parse(raw);
  };
}

/** Items between commas, blanks around them ignored; an empty item is a slip and rejected. */
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

/** Takes repetitions out of a list of texts. */
export function distinct(parse: Parser<readonly string[]>): Parser<readonly string[]> {
  return function parseDistinct(raw) {
    const parsed = parse(raw);
    return parsed.ok ? good([...new Set(parsed.value)]) : parsed;
  };
}

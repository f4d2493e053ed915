import { bad, good, type Parsed } from './parsers.ts';

/** One call that may be proxied: `GET /conversations/:id`. */
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

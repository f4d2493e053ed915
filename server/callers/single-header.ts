import type { CallerRequest } from './caller.ts';

/**
 * The value of a header that came exactly once. One that came twice was added to, not set, by the proxy in
 * front; or two servers on the way may each believe another of the two. Null then, and when there is none.
 */
export function singleHeader({ rawHeaders }: Pick<CallerRequest, 'rawHeaders'>, name: string): string | null {
  const wanted = name.toLowerCase();
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted,
  );
  return values.length === 1 ? (values[0] ?? null) : null;
}

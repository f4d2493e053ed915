import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';
import { LANGUAGES, type Language } from './messages.ts';

/** The language for `Accept-Language` (RFC 9110, section 12.5.4); English if we speak none of those asked for. */
export function chooseLanguage(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined) return 'en';
  const best = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).language([...LANGUAGES]);
  return LANGUAGES.find((language) => language === best) ?? 'en';
}

const languages = new WeakMap<IncomingMessage, Language>();

/** The language of the response to `req`. Remembered, because the proxy replaces the headers of a request. */
export function languageOf(req: IncomingMessage): Language {
  const known = languages.get(req);
  if (known !== undefined) return known;
  const language = chooseLanguage(req.headers['accept-language']);
  languages.set(req, language);
  return language;
}

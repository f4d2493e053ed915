import type { IncomingMessage } from 'node:http';
import { chooseLanguage } from '../errors/language.ts';
import type { Language } from '../errors/messages.ts';

const languages = new WeakMap<IncomingMessage, Language>();

/** The language to respond `req` in. Remembered, since the proxy replaces the headers of a request. */
export function languageOf(req: IncomingMessage): Language {
  const known = languages.get(req);
  if (known !== undefined) return known;
  const language = chooseLanguage(req.headers['accept-language']);
  languages.set(req, language);
  return language;
}

import Negotiator from 'negotiator';
import { LANGUAGES, type Language } from './messages.ts';

/**
 * The language to respond in, by the request's `Accept-Language` (RFC 9110, section 12.5.4).
 * English where nothing that we speak is asked for.
 */
export function chooseLanguage(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined) return 'en';
  const best = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).language([...LANGUAGES]);
  return LANGUAGES.find((language) => language === best) ?? 'en';
}

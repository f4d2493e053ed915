import { defineFileType, mismatch } from '../file-type.ts';
import { checkText, firstCharacters } from '../formats/text.ts';

const FIRST_LINE = /^BEGIN:VCALENDAR[ \t]*(?:\r|\n|$)/i;

/** iCalendar: RFC 5545 section 3.4, a text whose first line is `BEGIN:VCALENDAR`. */
export const ics = defineFileType({
  name: 'ics',
  extensions: ['ics'],
  mimeTypes: ['text/calendar', 'text/x-vcalendar', 'application/ics', 'text/ics', 'text/x-ical'],
  family: 'contact',
  isDefault: false,
  matcher: {
    match: (bytes, isWhole) =>
      FIRST_LINE.test(firstCharacters(bytes)) ? checkText(bytes, isWhole) : mismatch(),
    contradictedBy: null,
  },
  label: { en: 'a calendar entry (ICS)', es: 'una cita de calendario (ICS)' },
  advice: 'saveOrPack',
  saveAs: ['pdf'],
});

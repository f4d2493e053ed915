import type { ClientConfig, UploadMode, UploadOptions } from '../client/index.ts';
import { find, setText } from './elements.ts';
import { FAULTS, type FaultGroup, type FaultKey, toFaultConversation } from './faults.ts';
import { inEveryLanguage, texts } from './language.ts';

/** Where files go and by which way, as the form of the page says. */
export interface Destination {
  /** What a file that is added now is uploaded with. */
  options(): UploadOptions & { channel: string };
  /** Fills in what the server knows, and takes the ways off that it does not offer. */
  fill(target: { conversationId: string; contactId: string }, config: ClientConfig): void;
  onChange(listener: () => void): void;
}

/** On pages narrower than this the form folds away, so that the files come first. */
const WIDE = matchMedia('(min-width: 48rem)');

/** Brings the form to life. */
export function createDestination(): Destination {
  const form = find(document, '#destination', HTMLFormElement);
  const fold = find(document, '#address', HTMLDetailsElement);
  const fault = find(form, '#fault', HTMLSelectElement);
  const conversation = find(form, '#conversation', HTMLInputElement);
  const contact = find(form, '#contact', HTMLInputElement);
  let usualConversation = '';

  const chosen = (name: string): string => String(new FormData(form).get(name) ?? '');
  const channel = (): string => chosen('channel');
  const summarize = (): void => {
    const summary = find(fold, '#summary', HTMLElement);
    setText(summary, [channel(), chosen('mode'), conversation.value].join(' · '));
  };
  const explain = (): void => {
    setText(find(form, '#fault-note', HTMLElement), texts().faultOf[toFaultKey(fault.value)][1] ?? '');
  };

  inEveryLanguage(() => {
    fillFaults(fault);
    explain();
  });
  form.addEventListener('submit', (event) => event.preventDefault()); // Enter in a field sends nothing
  fault.addEventListener('change', () => {
    const key = toFaultKey(fault.value);
    conversation.value = key === 'none' ? usualConversation : `fault-${FAULTS[key].name}`;
    explain();
  });
  form.addEventListener('input', summarize);
  fold.open = WIDE.matches;
  WIDE.addEventListener('change', () => {
    fold.open = WIDE.matches;
  });

  return {
    options() {
      const [, name] = /^fault-([^_]+)$/.exec(conversation.value.trim()) ?? [];
      return {
        conversationId: name === undefined ? conversation.value.trim() : toFaultConversation(name),
        contactId: contact.value.trim(),
        channel: channel(),
        mode: toMode(chosen('mode')),
      };
    },
    fill(target, { modes }) {
      usualConversation = target.conversationId;
      conversation.value = target.conversationId;
      contact.value = target.contactId;
      for (const radio of form.querySelectorAll<HTMLInputElement>('[name=mode]')) {
        radio.disabled = !modes.includes(toMode(radio.value));
      }
      summarize();
    },
    onChange: (listener) => form.addEventListener('input', listener),
  };
}

/** Writes the faults into the list, grouped, in the language of the page; what was chosen stays chosen. */
function fillFaults(list: HTMLSelectElement): void {
  const { value } = list;
  const { faultGroups, faultOf } = texts();
  const groups = Object.entries(faultGroups).map(([group, label]) => {
    const element = document.createElement('optgroup');
    element.label = label;
    element.append(...keysOf(group as FaultGroup).map((key) => new Option(faultOf[key][0], key)));
    return element;
  });
  list.replaceChildren(new Option(faultOf.none[0], 'none'), ...groups);
  list.value = value === '' ? 'none' : value;
}

function keysOf(group: FaultGroup): FaultKey[] {
  return Object.entries(FAULTS).flatMap(([key, fault]) => (fault.group === group ? [toFaultKey(key)] : []));
}

function toFaultKey(value: string): FaultKey {
  return Object.hasOwn(FAULTS, value) ? (value as FaultKey) : 'none';
}

function toMode(value: string): 'auto' | UploadMode {
  return value === 'forward' || value === 'direct' || value === 'relay' ? value : 'auto';
}

import type { LeadwayUpload } from '../client/element/index.ts';
import type { ClientConfig } from '../client/types.ts';
import { find, setText } from './elements.ts';
import { FAULTS, type FaultGroup, type FaultKey, toFaultConversation } from './faults.ts';
import { inEveryLanguage, texts } from './language.ts';

/** The form of the workbench: where files go, by which mode, and what goes wrong. */
export interface Destination {
  /** Fills in what the server knows, and disables the modes that it does not offer. */
  fill(target: { conversationId: string; contactId: string }, config: Pick<ClientConfig, 'modes'>): void;
}

/** Lets the form set the attributes of `upload`. */
export function createDestination(upload: LeadwayUpload): Destination {
  const form = find(document, '#destination', HTMLFormElement);
  const fault = find(form, '#fault', HTMLSelectElement);
  const conversation = find(form, '#conversation', HTMLInputElement);
  const contact = find(form, '#contact', HTMLInputElement);
  let usualConversation = '';

  const chosen = (name: string): string => String(new FormData(form).get(name) ?? '');
  const apply = (): void => {
    const id = conversation.value.trim();
    const [, name] = /^fault-([^_]+)$/.exec(id) ?? [];
    upload.conversation = name === undefined ? id : toFaultConversation(name);
    upload.contact = contact.value.trim();
    upload.channel = chosen('channel');
    upload.mode = chosen('mode');
    setText(find(document, '#summary', HTMLElement), [chosen('channel'), chosen('mode'), id].join(' · '));
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
    apply();
  });
  form.addEventListener('input', apply);
  // A fault that happens once needs another conversation for the next files.
  upload.addEventListener('upload-add', apply);

  return {
    fill(target, { modes }) {
      usualConversation = target.conversationId;
      conversation.value = target.conversationId;
      contact.value = target.contactId;
      for (const radio of form.querySelectorAll<HTMLInputElement>('[name=mode]')) {
        radio.disabled = !modes.some((mode) => mode === radio.value);
      }
      apply();
    },
  };
}

/** Fills the list of faults, by groups, in the language of the page; the choice stays. */
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

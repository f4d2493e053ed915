import { createContent, createForm, createHead, createInitiateBody, FORM_TYPE } from '../form.ts';
import type { Shot } from '../messages.ts';

const forms = new Map<number, Buffer>();

/** The form with a file of `fileBytes`, made once. */
export function formOf(fileBytes: number): Buffer {
  const known = forms.get(fileBytes);
  if (known !== undefined) return known;
  const made = createForm(createContent(fileBytes), 'clip.mp4', 'video/mp4');
  forms.clear(); // one size at a time
  forms.set(fileBytes, made);
  return made;
}

/** Head and body of the request that `shot` repeats. */
export function requestBytes({ kind, port, path, fileBytes }: Shot): { head: Buffer; body: Buffer } {
  const body = kind === 'upload' ? formOf(fileBytes) : createInitiateBody(fileBytes);
  const type = kind === 'upload' ? FORM_TYPE : 'application/json';
  return { head: createHead(port, path, type, body.length), body };
}

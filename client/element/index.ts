import { LeadwayUpload } from './leadway-upload.ts';

export type { LeadwayUploadEventMap } from './events.ts';
export { LeadwayUpload } from './leadway-upload.ts';
export type { FileKind, UploadTexts } from './texts.ts';

// Under server-side rendering there is nothing to define.
if (globalThis.customElements && !customElements.get('leadway-upload')) {
  customElements.define('leadway-upload', LeadwayUpload);
}

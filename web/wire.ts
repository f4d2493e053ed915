import type { RequestEntry } from '../client/types.ts';
import { cloneTemplate, find, setText } from './elements.ts';
import { inEveryLanguage, texts } from './language.ts';
import { createWireRow, type WireRow } from './wire-row.ts';

/** At most this many groups are kept. */
const MAX_GROUPS = 60;

/** How often the bars of requests in flight grow. */
const TICK_MS = 200;

/** The requests of one file, on one scale of time. */
interface Group {
  readonly element: HTMLElement;
  readonly rows: Map<number, { row: WireRow; entry: RequestEntry }>;
  readonly name: string | null;
}

/** The panel that shows which requests went where, and how long each took. */
export interface WirePanel {
  /** Takes a request when it starts and again when it has ended, as the client's `onRequest` does. */
  record(entry: RequestEntry): void;
}

/** Starts the panel; the latest file comes first. */
export function createWirePanel(): WirePanel {
  const panel = find(document, '.wire', HTMLElement);
  const title = find(panel, '#wire-title', HTMLElement);
  const list = find(panel, '#wire-groups', HTMLOListElement);
  const clear = find(panel, '#wire-clear', HTMLButtonElement);
  const groups = new Map<File | null, Group>();
  let requests = 0;

  const showCount = (): void => {
    setText(find(panel, '#wire-count', HTMLElement), requests === 0 ? '' : texts().wireCount(requests));
    find(panel, '#wire-empty', HTMLElement).hidden = groups.size > 0;
    clear.hidden = groups.size === 0;
  };

  const groupOf = (file: File | null): Group => {
    const known = groups.get(file);
    if (known !== undefined) return known;
    const element = cloneTemplate('wire-group');
    const group = { element, rows: new Map(), name: file?.name ?? null };
    setText(find(element, 'h4', HTMLElement), group.name ?? texts().wirePage);
    groups.set(file, group);
    list.prepend(element);
    for (const [oldest, { element: old }] of groups) {
      if (groups.size <= MAX_GROUPS) break;
      old.remove();
      groups.delete(oldest);
    }
    return group;
  };

  setInterval(() => {
    for (const group of groups.values()) if (isPending(group)) showGroup(group);
  }, TICK_MS);
  clear.addEventListener('click', () => {
    for (const { element } of groups.values()) element.remove();
    groups.clear();
    requests = 0;
    showCount();
    title.focus();
  });
  inEveryLanguage(() => {
    showCount();
    for (const group of groups.values()) {
      setText(find(group.element, 'h4', HTMLElement), group.name ?? texts().wirePage);
      showGroup(group);
    }
  });

  return {
    record(entry) {
      const group = groupOf(entry.file ?? null);
      const known = group.rows.get(entry.id);
      const row = known?.row ?? createWireRow();
      if (known === undefined) {
        requests += 1;
        find(group.element, 'ol', HTMLOListElement).append(row.element);
      }
      group.rows.set(entry.id, { row, entry });
      showGroup(group);
      showCount();
    },
  };
}

function isPending({ rows }: Group): boolean {
  return [...rows.values()].some(({ entry }) => entry.endedAtMs === undefined);
}

/** All bars of a group are drawn to one scale, from its first start to its last end. */
function showGroup({ rows }: Group): void {
  const entries = [...rows.values()].map(({ entry }) => entry);
  const from = Math.min(...entries.map(({ startedAtMs }) => startedAtMs));
  const now = Date.now();
  const to = Math.max(from + 1, ...entries.map(({ endedAtMs }) => endedAtMs ?? now));
  for (const { row, entry } of rows.values()) row.show(entry, { from, to });
}

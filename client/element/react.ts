'use client';

import {
  createElement,
  type ForwardedRef,
  forwardRef,
  type HTMLAttributes,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
} from 'react';
import type { UploadMode, UploadResult } from '../types.ts';
import type { LeadwayUpload, LeadwayUploadEventMap } from './index.ts';
import './index.ts';

/** Before the element asks the server for anything; React 18 warns of layout effects on servers. */
const useMountEffect = globalThis.document ? useLayoutEffect : useEffect;

type Detail<K extends keyof LeadwayUploadEventMap> = LeadwayUploadEventMap[K]['detail'];

/**
 * The props of {@link LeadwayUploadArea}: the attributes of the element, its properties and its events.
 *
 * @example
 * ```ts
 * import type { LeadwayUploadAreaProps } from 'leadway-bff-client/element/react';
 *
 * const props: LeadwayUploadAreaProps = { conversation: 'sandboxConversation01', multiple: true, max: 5 };
 * ```
 */
export interface LeadwayUploadAreaProps
  extends Omit<HTMLAttributes<HTMLElement>, 'onChange' | 'onProgress' | 'onError'>,
    Partial<
      Pick<
        LeadwayUpload,
        | 'endpoint'
        | 'conversation'
        | 'contact'
        | 'location'
        | 'channel'
        | 'accept'
        | 'area'
        | 'name'
        | 'multiple'
        | 'disabled'
        | 'required'
        | 'details'
        | 'compact'
        | 'texts'
        | 'options'
        | 'uploader'
      >
    > {
  readonly mode?: 'auto' | UploadMode;
  readonly max?: number | undefined;
  /** The URLs of the files that have arrived, after each change. */
  readonly onChange?: (urls: string[]) => void;
  readonly onAdd?: (detail: Detail<'upload-add'>) => void;
  readonly onProgress?: (detail: Detail<'upload-progress'>) => void;
  readonly onDone?: (detail: Detail<'upload-done'>) => void;
  readonly onError?: (detail: Detail<'upload-error'>) => void;
  /** No upload is in flight. */
  readonly onEnd?: (results: readonly UploadResult[]) => void;
}

/**
 * `<leadway-upload>` as a component; the ref is the element, with its methods. `options` and `uploader` count when
 * the component mounts.
 *
 * @example
 * ```tsx
 * import { LeadwayUploadArea } from 'leadway-bff-client/element/react';
 *
 * export function Attachments({ onUrls }: { onUrls: (urls: string[]) => void }) {
 *   return <LeadwayUploadArea conversation="sandboxConversation01" multiple onChange={onUrls} />;
 * }
 * ```
 */
export const LeadwayUploadArea = forwardRef(function LeadwayUploadArea(
  props: LeadwayUploadAreaProps,
  ref: ForwardedRef<LeadwayUpload>,
) {
  const { children, texts, options, uploader, onChange, onAdd, onProgress, onDone, onError, onEnd, ...rest } =
    props;
  const element = useRef<LeadwayUpload>(null);
  const latest = useRef(props);
  latest.current = props;
  useImperativeHandle(ref, () => element.current as LeadwayUpload);

  useMountEffect(() => {
    const upload = element.current;
    if (!upload) return undefined;
    if (options) upload.options = options;
    if (uploader) upload.uploader = uploader;
    const listening = new AbortController();
    const { signal } = listening;
    const on = <K extends keyof LeadwayUploadEventMap>(type: K, listener: (detail: Detail<K>) => void) =>
      upload.addEventListener(type, ({ detail }) => listener(detail), { signal });
    upload.addEventListener('change', () => latest.current.onChange?.(upload.value), { signal });
    on('upload-add', (detail) => latest.current.onAdd?.(detail));
    on('upload-progress', (detail) => latest.current.onProgress?.(detail));
    on('upload-done', (detail) => latest.current.onDone?.(detail));
    on('upload-error', (detail) => latest.current.onError?.(detail));
    on('upload-end', ({ results }) => latest.current.onEnd?.(results));
    return () => listening.abort();
  }, []);
  useMountEffect(() => {
    if (element.current) Object.assign(element.current, { texts });
  }, [texts]);

  const attributes = Object.entries(rest).map(([name, value]) => {
    // React 18 writes `true` and `false` into the attributes of custom elements.
    if (typeof value === 'boolean' && !name.includes('-')) return [name, value ? '' : undefined];
    return [name === 'className' ? 'class' : name, value];
  });
  return createElement('leadway-upload', { ...Object.fromEntries(attributes), ref: element }, children);
});

import type { Config } from '../config/config.ts';
import type { LogFields } from '../http/log-fields.ts';
import { createOpenApiDocument } from '../openapi/document.ts';

// Every label is one of a few values that this program knows: a client must not be able to make a time series.

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The label of a method; clients may invent methods. */
export function methodLabel(method: string): string {
  return METHODS.has(method) ? method : 'other';
}

/** The label of a path. */
export interface RouteLabels {
  /** The pattern of the route that serves `path`; `unmatched` when none does. */
  of(path: string, fields: LogFields): string;
  /** What a request means for uploads; null when it is about something else. */
  uploadStep(method: string, route: string): UploadStep | null;
}

/** A request of an upload: the file itself, a file on its way to storage, or the calls around that. */
export type UploadStep = 'upload' | 'initiate' | 'content' | 'complete';

const STEPS: readonly (readonly [UploadStep, string])[] = [
  ['upload', 'POST /messages/upload'],
  ['initiate', 'POST /messages/upload/initiate'],
  ['content', 'PUT /messages/upload/content'],
  ['complete', 'POST /messages/upload/complete'],
];

const UNMATCHED = 'unmatched';

/** Knows the routes of the server from the description of its API. */
export function createRouteLabels(config: Config): RouteLabels {
  const { basePath } = config;
  const { paths } = createOpenApiDocument(config);
  const described = Object.entries(paths).map(
    ([path, { servers }]) => (servers === undefined ? basePath : '') + path,
  );
  // Express ignores case and a slash at the end.
  const byPath = new Map(described.map((path) => [toKey(path), path]));
  const passed = new Set(config.passthrough.map(({ path }) => basePath + path));
  const docs = toKey(`${basePath}/docs/`).concat('/');
  const steps = new Map(STEPS.map(([step, call]) => [call.replace(' ', ` ${basePath}`), step]));
  return {
    of(path, { route }) {
      if (route !== undefined) return passed.has(route) ? route : UNMATCHED;
      const key = toKey(path);
      if (key.startsWith(docs)) return `${basePath}/docs/*`;
      return byPath.get(key) ?? UNMATCHED;
    },
    uploadStep: (method, route) => steps.get(`${method} ${route}`) ?? null,
  };
}

function toKey(path: string): string {
  return path.toLowerCase().replace(/(?<=.)\/$/, '');
}

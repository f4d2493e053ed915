import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import type { OpenApiDocument, PathItem } from '../../server/openapi/document.ts';

/** A response as far as a description speaks of it. */
export interface DescribedResponse {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: unknown;
}

/** An operation of the description. */
export interface DescribedOperation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
}

/** Holds responses and examples to an OpenAPI description. */
export interface Describer {
  /** Asserts that the description foresees `response` of `operation`. */
  assertDescribed(operation: DescribedOperation, response: DescribedResponse): void;
  /** Asserts that every example in the description fits the schema beside it; gives how many there are. */
  assertExamples(): number;
}

/** Makes a describer of `document`. */
export function createDescriber(document: OpenApiDocument): Describer {
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: fullFormats });
  ajv.addSchema(document, 'api');

  const assertFits = (pointer: readonly string[], value: unknown, what: string): void => {
    const path = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
    const validate = ajv.getSchema(`api#/${path.join('/')}`);
    assert(validate !== undefined, `no schema for ${what}`);
    assert(validate(value), `${what}: ${ajv.errorsText(validate.errors)}`);
  };

  return {
    assertDescribed({ method, path }, { status, contentType, body }) {
      const response = document.paths[path]?.[method]?.responses[`${status}`] as ApiResponse | undefined;
      const what = `${method} ${path} ${status}`;
      assert(response !== undefined, `${what} is not described`);
      if (response.content === undefined) return assert.equal(contentType, null, what);
      const [type = ''] = Object.keys(response.content);
      assert.equal(contentType?.split(';')[0], type, what);
      const pointer = ['paths', path, method, 'responses', `${status}`, 'content', type, 'schema'];
      if (type === 'application/json') assertFits(pointer, body, what);
    },
    assertExamples() {
      let count = 0;
      for (const [pointer, schema] of schemasIn(document, [])) {
        for (const example of (schema['examples'] as unknown[] | undefined) ?? []) {
          assertFits(pointer, example, pointer.join(' '));
          count += 1;
        }
      }
      for (const { pointer, response } of responsesIn(document)) {
        for (const { value } of Object.values(response.content?.['application/json']?.examples ?? {})) {
          assertFits([...pointer, 'content', 'application/json', 'schema'], value, pointer.join(' '));
          count += 1;
        }
      }
      return count;
    },
  };
}

interface ApiResponse {
  readonly content?: Readonly<
    Record<string, { readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }>
  >;
}

/** Every operation of the description. */
export function operationsIn(document: OpenApiDocument): DescribedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]: [string, PathItem]) =>
    (['get', 'post', 'put', 'delete'] as const)
      .filter((method) => item[method])
      .map((method) => ({ method, path })),
  );
}

function responsesIn(document: OpenApiDocument): { pointer: string[]; response: ApiResponse }[] {
  return operationsIn(document).flatMap(({ method, path }) =>
    Object.entries(document.paths[path]?.[method]?.responses ?? {}).map(([status, response]) => ({
      pointer: ['paths', path, method, 'responses', status],
      response: response as ApiResponse,
    })),
  );
}

/** Every object that lists `examples`, as schemas do, with where it stands. */
function* schemasIn(
  node: unknown,
  pointer: readonly string[],
): Generator<[pointer: readonly string[], schema: Readonly<Record<string, unknown>>]> {
  if (typeof node !== 'object' || node === null) return;
  if (Array.isArray((node as Record<string, unknown>)['examples'])) {
    yield [pointer, node as Record<string, unknown>];
  }
  for (const [key, value] of Object.entries(node)) yield* schemasIn(value, [...pointer, key]);
}

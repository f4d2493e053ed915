/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether `value` is an object as JSON has it: not an array and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws SyntaxError when `text` is not a JSON object. Its message may quote the text. */
export function parseJsonObject(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw new SyntaxError('expected a JSON object');
  return value;
}

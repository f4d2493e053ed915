const [QUOTE, BACKSLASH, COMMA, LIST, OBJECT] = [...'"\\,[{'].map((sign) => sign.charCodeAt(0));

/**
 * Whether `json` holds more than `max` values: reading each exactly as it was written costs some hundred times
 * what its bytes do, so a body of nothing but `1,` would hold the process. Each value follows a comma or
 * opens a list or an object, so these are counted; text that is no JSON is counted in some way too.
 */
export function hasMoreValuesThan(json: Uint8Array, max: number): boolean {
  let count = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) isInString = !isInString;
    else if (isInString) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA || byte === LIST || byte === OBJECT) {
      count += 1;
      if (count > max) return true;
    }
  }
  return false;
}

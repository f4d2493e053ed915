/** Bytes between the content of the last part and the end of a usual form: CRLF, closing delimiter, CRLF. */
export function closingLength(boundary: string): number {
  return Buffer.byteLength(`\r\n--${boundary}--\r\n`);
}

import { randomUUID } from 'node:crypto';

/**
 * Writes the pieces of a `multipart/form-data` body (RFC 7578). The client's own bytes never become structure: two
 * parsers that read one body differently is how filters are bypassed.
 *
 * Pieces are strings (sent as UTF-8) so that adjacent ones can be joined: one write is cheaper than two.
 */
export interface MultipartEncoder {
  readonly contentType: string;
  field(name: string, value: string): string;
  fileHead(name: string, filename: string, contentType: string): string;
  /** Follows the bytes of a file. */
  readonly fileTail: string;
  /** The closing delimiter. Sending it is the commit. */
  readonly closing: string;
}

/** An encoder with an unguessable boundary, so that no content can contain it. */
export function createMultipartEncoder(): MultipartEncoder {
  const boundary = `----leadway-bff-${randomUUID()}`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    field: (name, value) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"\r\n\r\n${value}\r\n`,
    fileHead: (name, filename, contentType) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"; filename="${escapeName(filename)}"\r\n` +
      `Content-Type: ${contentType}\r\n\r\n`,
    fileTail: '\r\n',
    closing: `--${boundary}--\r\n`,
  };
}

/**
 * A name as browsers write it between quotes.
 *
 * @see https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
 */
export function escapeName(name: string): string {
  if (!/[\r\n"]/.test(name)) return name;
  return name.replace(/\r/g, '%0D').replace(/\n/g, '%0A').replace(/"/g, '%22');
}

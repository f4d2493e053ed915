import type { Writable } from 'node:stream';
import type { Request } from 'express';

declare module 'multer' {
  interface Options {
    /** Since multer 2.4; not in its types yet. */
    streamHandler?: (req: Request, busboy: Writable) => void;
  }
}

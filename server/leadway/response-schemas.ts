import { z } from 'zod';

/** The response of `initiate`: where one file may be put, and until when. */
export const initiateResponse = z.object({
  uploadUrl: z.string().max(8 * 1024),
  uploadId: z.string().min(1).max(256),
  filePath: z.string().min(1).max(1024),
  // Unix milliseconds by the specification; a date in words is understood too.
  expiresAt: z.union([
    z.number().positive(),
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  ]),
  maxFileSize: z.number().positive(),
});

/** The response of `complete`: the public URL of the stored file. */
export const completeResponse = z.object({
  uploadedFiles: z.record(z.string(), z.string()),
  metadata: z
    .object({
      // A number may come as text; anything else is no size.
      size: z
        .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
        .optional()
        .catch(undefined),
      contentType: z.string().optional().catch(undefined),
    })
    .catch({}),
});

/** The response of an upload: a public URL for each file. */
export const uploadResponse = z.object({
  uploadedFiles: z.record(z.string(), z.string()),
  twilioMediaSids: z.array(z.string()).optional(),
});

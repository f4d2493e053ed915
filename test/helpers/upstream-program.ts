import type { Certificate } from './certificates.ts';
import { createFakeLeadway, type FakeLeadway } from './fake-leadway.ts';
import { encodeForm, FORM_TYPE, fixture } from './multipart.ts';
import { filePart, textParts } from './send-upload.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const FIELDS = { conversationId: 'exampleConversation1', contactId: 'exampleContact000001' };

/** The token of a {@link Program}. */
export const PROGRAM_TOKEN = 'pit-test-00000000';

/** The calls that a test has caused; on a slow machine the check of the token at start is among them. */
export function callsOf({ calls }: FakeLeadway): string[] {
  return calls.filter((call) => call !== 'POST /conversations/messages');
}

interface Json {
  readonly mode?: string;
  readonly code?: string;
  readonly ticket?: string;
  readonly notices?: readonly string[];
}

/** The program in its own process, for what Node reads from the environment when it starts. */
export interface Program extends ServerProcess {
  readonly log: Record<string, unknown>[];
  upload(query?: string, content?: Buffer): Promise<{ readonly status: number; readonly body: Json }>;
  readiness(): Promise<{ readonly status: number; readonly notices: readonly string[] | undefined }>;
}

/** Starts the program with Leadway and its storage at `upstreamUrl`. */
export async function startProgram(
  upstreamUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const log: Record<string, unknown>[] = [];
  const program = await startServerProcess(
    {
      url: upstreamUrl,
      storageOrigin: upstreamUrl,
      token: PROGRAM_TOKEN,
      locationId: 'exampleLocation00001',
    },
    env,
    { onLine: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return Object.assign(program, {
    log,
    async upload(query = '', content = fixture('picture.png')) {
      const name = content.length > 10_000 ? 'clip.mp4' : 'picture.png';
      const response = await fetch(`${program.url}/api/messages/upload${query}`, {
        method: 'POST',
        headers: { 'Content-Type': FORM_TYPE },
        body: new Uint8Array(encodeForm([...textParts(FIELDS), filePart(name, content)])),
      });
      return { status: response.status, body: (await response.json()) as Json };
    },
    async readiness() {
      const response = await fetch(`${program.url}/readyz`);
      return { status: response.status, notices: ((await response.json()) as Json).notices };
    },
  });
}

/**
 * A Leadway and its storage on one port.
 *
 * @param origin What signed URLs begin with; by default its own.
 */
export async function createWholeLeadway(
  certificate: Certificate | null,
  origin?: string,
): Promise<FakeLeadway> {
  const leadway: FakeLeadway = await createFakeLeadway((path) => {
    if (path.endsWith('/initiate')) {
      const signed = { uploadId: 'u1', filePath: 'f/1', expiresAt: Date.now() + 900_000, maxFileSize: 5e6 };
      const uploadUrl = `${origin ?? leadway.url}/bucket/f/1?signature=s`;
      return { status: 200, json: { ...signed, uploadUrl } };
    }
    if (path.startsWith('/bucket/')) return { status: 200, body: '' };
    const uploadedFiles = { 'picture.png': 'https://cdn.example.com/0' };
    return { status: 200, json: { uploadedFiles, metadata: { contentType: 'image/png' } } };
  }, certificate);
  return leadway;
}

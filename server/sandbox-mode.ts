import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../sandbox/index.ts';
import { assetFolder } from './assets.ts';
import { parseOriginPattern } from './config/addresses.ts';
import type { Config, Secrets } from './config/config.ts';
import { Secret } from './config/secrets.ts';

/** A sandbox that runs in this process, and the configuration that points at it. */
export interface SandboxMode extends AsyncDisposable {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly demo: DemoTarget;
  /** Tells on standard output what this is and how to try it. */
  introduce(serverUrl: string): void;
}

/** Starts the embedded stand-in for Leadway and storage. Loaded only if needed. */
export async function runSandbox(config: Config, secrets: Secrets): Promise<SandboxMode> {
  const { createSandbox } = await import('../sandbox/index.ts');
  const { singleLocationId } = config.leadway;
  const sandbox = await createSandbox(singleLocationId === null ? {} : { locationId: singleLocationId });
  return {
    config: pointedAt(config, sandbox),
    secrets: { ...secrets, leadwayToken: { value: new Secret(sandbox.token), file: null } },
    demo: { conversationId: sandbox.conversationId, contactId: sandbox.contactId },
    introduce: (serverUrl) => process.stdout.write(introduction(serverUrl, config.basePath, sandbox)),
    [Symbol.asyncDispose]: () => sandbox.close(),
  };
}

function pointedAt(config: Config, sandbox: Sandbox): Config {
  const storage = parseOriginPattern(sandbox.storageOrigin);
  if (!storage.ok) throw new TypeError('the sandbox has no usable origin');
  return {
    ...config,
    leadway: {
      ...config.leadway,
      baseUrl: new URL(sandbox.url),
      singleLocationId: sandbox.locationId,
      locationIds: [sandbox.locationId],
    },
    storageOrigins: [storage.value],
  };
}

const SAMPLE = fileURLToPath(new URL('sample.png', assetFolder('web/')));

function introduction(serverUrl: string, basePath: string, sandbox: Sandbox): string {
  const { conversationId, contactId } = sandbox;
  // curl takes a quoted file name as it is, whatever characters are in the folder's name.
  const file = `fileAttachment=@"${SAMPLE.replace(/["\\]/g, '\\$&')}"`;
  const fields = [`conversationId=${conversationId}`, `contactId=${contactId}`, file].map(
    (field) => `-F ${quoted(field)}`,
  );
  const socket = /^unix:(.+)/.exec(serverUrl)?.[1];
  const base = socket === undefined ? serverUrl : 'http://localhost';
  const curl = socket === undefined ? 'curl' : `curl --unix-socket ${quoted(socket)}`;
  return [
    '',
    'This is the sandbox: a stand-in for Leadway and its storage. Nothing leaves this machine.',
    socket === undefined ? `page    ${base}/` : `page    / of the proxy in front of ${serverUrl}`,
    `try     ${curl} ${fields.join(' ')} ${quoted(`${base}${basePath}/messages/upload`)}`,
    `sandbox ${sandbox.url} token=${sandbox.token} location=${sandbox.locationId}`,
    '',
    '',
  ].join('\n');
}

/** `text` as one word for a shell. */
function quoted(text: string): string {
  return /^[\w=:/.@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What the demo page uploads to: a conversation and a contact that exist. */
export interface DemoTarget {
  readonly conversationId: string;
  readonly contactId: string;
}

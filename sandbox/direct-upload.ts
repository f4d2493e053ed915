import { randomUUID } from 'node:crypto';
import { extensionOf, typeOfName } from './file-types.ts';
import { leadwayError } from './leadway-responses.ts';
import type { RequestContext, SandboxResponse } from './request-context.ts';
import { BUCKET, type DirectUpload, publicUrl, type SandboxState } from './state.ts';
import { conversationProblem, idProblems, locationProblem } from './targets.ts';

const MIB = 1024 * 1024;
const MAX_PENDING_UPLOADS = 10_000;

/** The vendor's limit for direct uploads. */
function maxFileSizeOf(channel: string): number {
  return (channel.toUpperCase() === 'WHATSAPP' ? 100 : 5) * MIB;
}

function stringProblems(json: Readonly<Record<string, unknown>>, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = json[name];
    if (typeof value !== 'string') return [`${name} must be a string`];
    return value === '' ? [`${name} should not be empty`] : [];
  });
}

/** Responses `POST /conversations/messages/upload/initiate`. */
export function initiateUpload(
  state: SandboxState,
  context: RequestContext,
  json: Readonly<Record<string, unknown>>,
): SandboxResponse {
  const problems = [
    ...idProblems(json, ['locationId', 'conversationId']),
    ...stringProblems(json, ['filename', 'contentType', 'channel']),
  ];
  const fileSize = json['fileSize'] ?? 0;
  if (typeof fileSize !== 'number' || !(fileSize >= 0)) problems.push('fileSize must be a positive number');
  if (problems.length > 0) return leadwayError(400, problems);

  const locationId = String(json['locationId']);
  const conversationId = String(json['conversationId']);
  const filename = String(json['filename']);
  const target = locationProblem(state, context, locationId) ?? conversationProblem(conversationId);
  if (target !== null) return target;

  const contentType = typeOfName(filename);
  if (contentType === null)
    return leadwayError(400, `File type not supported: ${extensionOf(filename) || 'none'}`);
  if (contentType !== json['contentType']) {
    return leadwayError(
      400,
      `contentType ${json['contentType']} does not match the extension of ${filename}`,
    );
  }
  const maxFileSize = maxFileSizeOf(String(json['channel']));
  if (Number(fileSize) > maxFileSize) {
    return leadwayError(413, `File size exceeds the maximum of ${maxFileSize / MIB}MB`);
  }
  return issueUrl(state, context, { locationId, conversationId, filename, maxFileSize }, contentType);
}

function issueUrl(
  state: SandboxState,
  context: RequestContext,
  wanted: Omit<DirectUpload, 'uploadId' | 'filePath'>,
  contentType: string,
): SandboxResponse {
  const { locationId, conversationId, filename, maxFileSize } = wanted;
  const uploadId = randomUUID();
  const filePath = `location/${locationId}/conversations/${conversationId}/${uploadId}.${extensionOf(filename)}`;
  state.uploads.set(filePath, { ...wanted, uploadId, filePath });
  const [oldest] = state.uploads.keys();
  if (state.uploads.size > MAX_PENDING_UPLOADS && oldest !== undefined) state.uploads.delete(oldest);

  const isEvil = context.fault === 'initiate-evil-origin';
  const { url: uploadUrl, expiresAt } = state.signer.sign(
    isEvil ? 'https://evil.example' : state.storageOrigin,
    { method: 'PUT', path: `/${BUCKET}/${filePath}`, contentType },
    state.settings.urlTtlMs,
  );
  return { status: 200, json: { uploadUrl, uploadId, filePath, expiresAt, maxFileSize } };
}

/** Responses `POST /conversations/messages/upload/complete`. */
export function completeUpload(
  state: SandboxState,
  context: RequestContext,
  json: Readonly<Record<string, unknown>>,
): SandboxResponse {
  const problems = [
    ...idProblems(json, ['locationId', 'conversationId']),
    ...stringProblems(json, ['uploadId', 'filePath', 'filename']),
  ];
  if (problems.length > 0) return leadwayError(400, problems);
  const filePath = String(json['filePath']);
  const filename = String(json['filename']);
  const target =
    locationProblem(state, context, String(json['locationId'])) ??
    conversationProblem(String(json['conversationId']));
  if (target !== null) return target;

  const upload = state.uploads.get(filePath);
  const stored = state.files.get(filePath);
  if (upload === undefined || stored === undefined) return leadwayError(404, 'File not found in storage');
  const isSameUpload = (['uploadId', 'locationId', 'conversationId'] as const).every(
    (name) => json[name] === upload[name],
  );
  if (!isSameUpload) return leadwayError(400, 'The upload does not belong to this location and conversation');
  if (stored.contentType !== typeOfName(filename)) {
    return leadwayError(400, `The stored type ${stored.contentType} does not match ${filename}`);
  }
  if (stored.size > upload.maxFileSize) {
    return leadwayError(400, `File size exceeds the maximum of ${upload.maxFileSize / MIB}MB`);
  }
  return {
    status: 200,
    json: {
      uploadedFiles: { [filename]: publicUrl(state, filePath) },
      metadata: { size: stored.size, contentType: stored.contentType },
    },
  };
}

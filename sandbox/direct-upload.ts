import { randomUUID } from 'node:crypto';
import type { Answer, Exchange } from './exchange.ts';
import { extensionOf, typeOfName } from './file-types.ts';
import { leadwayError } from './leadway-answers.ts';
import { conversationProblem, idProblems, locationProblem } from './targets.ts';
import { BUCKET, type DirectUpload, publicUrl, type World } from './world.ts';

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

/** Answers `POST /conversations/messages/upload/initiate`. */
export function initiateUpload(
  world: World,
  exchange: Exchange,
  json: Readonly<Record<string, unknown>>,
): Answer {
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
  const target = locationProblem(world, exchange, locationId) ?? conversationProblem(conversationId);
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
  return issueUrl(world, exchange, { locationId, conversationId, filename, maxFileSize }, contentType);
}

function issueUrl(
  world: World,
  exchange: Exchange,
  wanted: Omit<DirectUpload, 'uploadId' | 'filePath'>,
  contentType: string,
): Answer {
  const { locationId, conversationId, filename, maxFileSize } = wanted;
  const uploadId = randomUUID();
  const filePath = `location/${locationId}/conversations/${conversationId}/${uploadId}.${extensionOf(filename)}`;
  world.uploads.set(filePath, { ...wanted, uploadId, filePath });
  const [oldest] = world.uploads.keys();
  if (world.uploads.size > MAX_PENDING_UPLOADS && oldest !== undefined) world.uploads.delete(oldest);

  const isEvil = exchange.fault === 'initiate-evil-origin';
  const { url: uploadUrl, expiresAt } = world.signer.sign(
    isEvil ? 'https://evil.example' : world.storageOrigin,
    { method: 'PUT', path: `/${BUCKET}/${filePath}`, contentType },
    world.settings.urlTtlMs,
  );
  return { status: 200, json: { uploadUrl, uploadId, filePath, expiresAt, maxFileSize } };
}

/** Answers `POST /conversations/messages/upload/complete`. */
export function completeUpload(
  world: World,
  exchange: Exchange,
  json: Readonly<Record<string, unknown>>,
): Answer {
  const problems = [
    ...idProblems(json, ['locationId', 'conversationId']),
    ...stringProblems(json, ['uploadId', 'filePath', 'filename']),
  ];
  if (problems.length > 0) return leadwayError(400, problems);
  const filePath = String(json['filePath']);
  const filename = String(json['filename']);
  const target =
    locationProblem(world, exchange, String(json['locationId'])) ??
    conversationProblem(String(json['conversationId']));
  if (target !== null) return target;

  const upload = world.uploads.get(filePath);
  const stored = world.files.get(filePath);
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
      uploadedFiles: { [filename]: publicUrl(world, filePath) },
      metadata: { size: stored.size, contentType: stored.contentType },
    },
  };
}

/** What Leadway answers to an upload, and to the question for a signed URL, as far as it matters here. */
const UPLOADED = {
  uploadedFiles: { 'clip.mp4': 'https://storage.example.com/clip.mp4' },
  traceId: 'bench',
};
const FILE_PATH =
  'location/benchLocation0000001/conversations/benchConversation001/3f0c2c5e-8a55-4b6e-9d0a-1f5c7f0e5d11.mp4';
const INITIATED = {
  uploadUrl:
    `https://storage.googleapis.com/example-attachments/${FILE_PATH}?X-Goog-Algorithm=GOOG4-RSA-SHA256` +
    `&X-Goog-Credential=bench%40example.iam.gserviceaccount.com%2F20260101%2Fauto%2Fstorage%2Fgoog4_request` +
    `&X-Goog-Date=20260101T000000Z&X-Goog-Expires=900&X-Goog-SignedHeaders=content-type%3Bhost` +
    `&X-Goog-Signature=${'0123456789abcdef'.repeat(32)}`,
  uploadId: '3f0c2c5e-8a55-4b6e-9d0a-1f5c7f0e5d11',
  filePath: FILE_PATH,
  expiresAt: Date.now() + 24 * 60 * 60_000,
  maxFileSize: 5 * 1024 ** 2,
};

const uploaded = toAnswer(UPLOADED);
const initiated = toAnswer(INITIATED);

/** The bytes that answer the request with this head. */
export function answerTo(head: string): Buffer {
  const target = head.slice(0, head.indexOf('\r\n')).split(' ')[1] ?? '';
  return target.endsWith('/initiate') ? initiated : uploaded;
}

function toAnswer(json: object): Buffer {
  const body = JSON.stringify(json);
  return Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

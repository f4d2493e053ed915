import { randomBytes, randomUUID } from 'node:crypto';
import { discardBody } from './body.ts';
import { extensionOf, typeOfName } from './file-types.ts';
import { type Form, readForm } from './form.ts';
import { leadwayError, uploadError } from './leadway-responses.ts';
import { boundaryOf } from './multipart-parser.ts';
import { deliver, type RequestContext, type SandboxResponse, takeFault } from './request-context.ts';
import { publicUrl, type SandboxState } from './state.ts';
import { conversationProblem, idProblems, locationProblem } from './targets.ts';

const FILE_FIELD = 'fileAttachment';

/** Reads the form of an upload; a function that makes the response comes back, for the fault to go first. */
export async function receiveUpload(
  state: SandboxState,
  context: RequestContext,
): Promise<() => SandboxResponse> {
  const boundary = boundaryOf(context.req.headers['content-type']);
  if (boundary === null) {
    await discardBody(context);
    return () => uploadError(400, 'Expected multipart/form-data with a boundary');
  }
  const form = await readForm(context, boundary, {
    field(name, value) {
      if (name === 'conversationId') takeFault(context, value);
    },
    async progress(fileBytes) {
      if (fileBytes > state.settings.maxUploadBytes) {
        await deliver(context, uploadError(413, 'Failed to upload the files: file size exceeds the limit'));
      }
    },
  });
  return () => responseUpload(state, context, form);
}

function responseUpload(state: SandboxState, context: RequestContext, form: Form): SandboxResponse {
  if (form.problem !== null) return leadwayError(400, form.problem);
  const first = Object.fromEntries(Object.entries(form.fields).map(([name, [value]]) => [name, value]));
  const given = ['conversationId', 'contactId'].filter((name) => (first[name] ?? '') !== '');
  const problems = idProblems(first, [...given, 'locationId']);
  if (given.length === 0) problems.push('conversationId or contactId should not be empty');
  const { conversationId = '', locationId = '', chatServiceSid = '', isGroupSms = '' } = first;
  if (chatServiceSid !== '' && !/^IS[0-9a-f]{32}$/i.test(chatServiceSid)) {
    problems.push('chatServiceSid must be a valid Twilio service SID');
  }
  if (!['', 'true', 'false'].includes(isGroupSms)) problems.push('isGroupSms must be true or false');
  if (!['', 'true', 'false'].includes(first['isSecureAttachment'] ?? '')) {
    problems.push('isSecureAttachment must be true or false');
  }
  if (problems.length > 0) return leadwayError(400, problems);

  const target = locationProblem(state, context, locationId) ?? conversationProblem(conversationId);
  return target ?? filesProblem(form, isGroupSms === 'true') ?? keepFiles(state, form);
}

function filesProblem({ files, fields }: Form, isGroupSms: boolean): SandboxResponse | null {
  if (files.some(({ record }) => record.field !== FILE_FIELD)) return uploadError(400, 'Unexpected field');
  if (files.length === 0 && fields['attachmentUrls'] === undefined) {
    return uploadError(400, 'No files to upload');
  }
  if (isGroupSms && files.length !== 1) return uploadError(400, 'Only one file is allowed for group SMS');
  const rejected = files.find(({ record }) => typeOfName(record.name) === null);
  return rejected === undefined
    ? null
    : uploadError(415, `File type not supported: ${extensionOf(rejected.record.name) || 'none'}`);
}

function keepFiles(state: SandboxState, form: Form): SandboxResponse {
  const [locationId] = form.fields['locationId'] ?? [];
  const owner = form.fields['conversationId']?.[0] || form.fields['contactId']?.[0];
  const uploaded: [string, string][] = (form.fields['attachmentUrls'] ?? []).map((url) => [
    url.split('/').at(-1) ?? url,
    url,
  ]);
  for (const { record, stored } of form.files) {
    const path = `location/${locationId}/conversations/${owner}/${randomUUID()}.${extensionOf(record.name)}`;
    state.files.put(path, { ...stored, contentType: typeOfName(record.name) ?? stored.contentType });
    uploaded.push([record.name, publicUrl(state, path)]);
  }
  const isGroupSms = form.fields['isGroupSms']?.[0] === 'true';
  return {
    status: state.settings.uploadStatus,
    json: {
      uploadedFiles: Object.fromEntries(uploaded),
      ...(isGroupSms && { twilioMediaSids: form.files.map(() => `ME${randomBytes(16).toString('hex')}`) }),
    },
  };
}

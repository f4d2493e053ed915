import { randomBytes, randomUUID } from 'node:crypto';
import { discardBody } from './body.ts';
import { type Answer, deliver, type Exchange, takeFault } from './exchange.ts';
import { extensionOf, typeOfName } from './file-types.ts';
import { type Form, readForm } from './form.ts';
import { leadwayError, uploadError } from './leadway-answers.ts';
import { boundaryOf } from './multipart-parser.ts';
import { conversationProblem, idProblems, locationProblem } from './targets.ts';
import { publicUrl, type World } from './world.ts';

const FILE_FIELD = 'fileAttachment';

/** Reads the form of an upload; a function that makes the answer comes back, for the fault to go first. */
export async function receiveUpload(world: World, exchange: Exchange): Promise<() => Answer> {
  const boundary = boundaryOf(exchange.req.headers['content-type']);
  if (boundary === null) {
    await discardBody(exchange);
    return () => uploadError(400, 'Expected multipart/form-data with a boundary');
  }
  const form = await readForm(exchange, boundary, {
    field(name, value) {
      if (name === 'conversationId') takeFault(exchange, value);
    },
    async progress(fileBytes) {
      if (fileBytes > world.settings.maxUploadBytes) {
        await deliver(exchange, uploadError(413, 'Failed to upload the files: file size exceeds the limit'));
      }
    },
  });
  return () => answerUpload(world, exchange, form);
}

function answerUpload(world: World, exchange: Exchange, form: Form): Answer {
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

  const target = locationProblem(world, exchange, locationId) ?? conversationProblem(conversationId);
  return target ?? filesProblem(form, isGroupSms === 'true') ?? keepFiles(world, form);
}

function filesProblem({ files, fields }: Form, isGroupSms: boolean): Answer | null {
  if (files.some(({ record }) => record.field !== FILE_FIELD)) return uploadError(400, 'Unexpected field');
  if (files.length === 0 && fields['attachmentUrls'] === undefined) {
    return uploadError(400, 'No files to upload');
  }
  if (isGroupSms && files.length !== 1) return uploadError(400, 'Only one file is allowed for group SMS');
  const refused = files.find(({ record }) => typeOfName(record.name) === null);
  return refused === undefined
    ? null
    : uploadError(415, `File type not supported: ${extensionOf(refused.record.name) || 'none'}`);
}

function keepFiles(world: World, form: Form): Answer {
  const [locationId] = form.fields['locationId'] ?? [];
  const owner = form.fields['conversationId']?.[0] || form.fields['contactId']?.[0];
  const uploaded: [string, string][] = (form.fields['attachmentUrls'] ?? []).map((url) => [
    url.split('/').at(-1) ?? url,
    url,
  ]);
  for (const { record, stored } of form.files) {
    const path = `location/${locationId}/conversations/${owner}/${randomUUID()}.${extensionOf(record.name)}`;
    world.files.put(path, { ...stored, contentType: typeOfName(record.name) ?? stored.contentType });
    uploaded.push([record.name, publicUrl(world, path)]);
  }
  const isGroupSms = form.fields['isGroupSms']?.[0] === 'true';
  return {
    status: world.settings.uploadStatus,
    json: {
      uploadedFiles: Object.fromEntries(uploaded),
      ...(isGroupSms && { twilioMediaSids: form.files.map(() => `ME${randomBytes(16).toString('hex')}`) }),
    },
  };
}

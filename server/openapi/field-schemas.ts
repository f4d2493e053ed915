import type { Config } from '../config/config.ts';
import { ID_PATTERN } from '../config/parsers.ts';
import { FILE_TYPES } from '../file-types/file-types.ts';
import { CHANNEL, CHAT_SERVICE_SID, FILE_FIELD, UPLOAD_FIELD_NAMES } from '../uploads/fields.ts';
import { CHANNEL_LIMITS, MIB } from '../uploads/mode.ts';
import type { Schema } from './document.ts';

type Settings = Pick<Config, 'uploads' | 'leadway' | 'attachmentUrlOrigins' | 'forward'>;

const id = (description: string, example: string): Schema => ({
  type: 'string',
  pattern: ID_PATTERN.source,
  description,
  examples: [example],
});

/** The text fields that operations share, by name. */
function fieldSchemas({ uploads, attachmentUrlOrigins }: Settings) {
  const { channels, default: usualBytes } = CHANNEL_LIMITS;
  const exceptions = Object.entries(channels).map(([name, bytes]) => `${name} ${bytes / MIB} MiB`);
  return {
    conversationId: id(
      'The conversation that the file is for. Required, except that a forwarded file may have `contactId` instead.',
      '4c8nTqFzPq0aVY2hXk1L',
    ),
    contactId: id('The contact that the file is for. Enough for a forwarded file.', '9d2KfLmQw3eRt5yUi7Op'),
    locationId: id(
      'The location (sub-account). Not needed where the server has a single one.',
      'exampleLocation00001',
    ),
    attachmentUrls: {
      type: 'array',
      items: { type: 'string', format: 'uri', pattern: '^https://' },
      description: `Files that are on the web already; forward only. Also as \`attachmentUrls[]\` or \`attachmentUrls[0]\`…; one empty value or \`[]\` counts as none. ${
        attachmentUrlOrigins.length > 0
          ? `Taken from: ${attachmentUrlOrigins.join(', ')}.`
          : 'This server takes none.'
      }`,
      examples: [['https://files.example.com/a.png']],
    },
    chatServiceSid: {
      type: 'string',
      pattern: CHAT_SERVICE_SID.source,
      description: 'Twilio chat service of a group SMS.',
      examples: [`IS${'0123456789abcdef'.repeat(2)}`],
    },
    isGroupSms: {
      type: 'string',
      enum: ['true', 'false'],
      description: '`true` takes one file and forwards it; the response then has `twilioMediaSids`.',
      examples: ['false'],
    },
    isSecureAttachment: {
      type: 'string',
      enum: ['true', 'false'],
      description:
        '`true` makes a forwarded file private: its URL is public for one hour, until `expiresAt` in the response. Passed on to Leadway, which does so for email. Such a file is always forwarded; direct and relay by name are `INVALID_FIELD`. Send it before the file.',
      examples: ['false'],
    },
    channel: {
      type: 'string',
      pattern: CHANNEL.source,
      default: uploads.defaultChannel,
      description: `The channel of the conversation, in any case. A direct or relayed file may have ${exceptions.join(', ')}, on every other channel ${usualBytes / MIB} MiB.`,
      examples: ['WHATSAPP'],
    },
    fileSize: {
      type: 'integer',
      minimum: 1,
      description:
        'Size of the one file in bytes, so that its mode can be chosen before it arrives. A file of another size is rejected.',
      examples: [73728],
    },
    filename: {
      type: 'string',
      minLength: 1,
      description: 'Name of the file: at most 255 bytes of UTF-8, with an extension of the list.',
      examples: ['photo.png'],
    },
    contentType: {
      type: 'string',
      description:
        'Declared type of the file, as the browser reports it. Compared with the extension only when it names another kind; missing or empty, the extension decides.',
      examples: ['image/png'],
    },
  } satisfies Readonly<Record<string, Schema>>;
}

/** The form of an upload. */
export function uploadForm(settings: Settings): Schema {
  const fields = fieldSchemas(settings);
  const { maxFiles, allowedExtensions } = settings.uploads;
  const own = Object.entries(fields).filter(([name]) => UPLOAD_FIELD_NAMES.has(name));
  return {
    type: 'object',
    required: [...(isLocationRequired(settings) ? ['locationId'] : []), FILE_FIELD],
    anyOf: [{ required: ['conversationId'] }, { required: ['contactId'] }],
    properties: {
      ...Object.fromEntries(own),
      [FILE_FIELD]: {
        type: 'array',
        minItems: 1,
        maxItems: maxFiles,
        items: { type: 'string', contentMediaType: 'application/octet-stream' },
        description: `1 to ${maxFiles} files, each with a name that ends in ${allowedExtensions.join(', ')}.`,
      },
    },
    description: 'Fields in any order; unknown ones are ignored.',
  };
}

/** The body of initiate: JSON, or with `head` a form that may contain the beginning of the file. */
export function initiateBody(settings: Settings, head: 'with head' | 'without head'): Schema {
  const { conversationId, locationId, filename, contentType, fileSize, channel } = fieldSchemas(settings);
  const isForm = head === 'with head';
  return {
    type: 'object',
    required: [
      'conversationId',
      ...(isLocationRequired(settings) ? ['locationId'] : []),
      ...(isForm ? [] : ['filename']),
    ],
    properties: {
      conversationId,
      locationId,
      filename,
      contentType,
      fileSize,
      channel,
      ...(isForm && {
        [FILE_FIELD]: {
          type: 'string',
          contentMediaType: 'application/octet-stream',
          description:
            'The first bytes of the file, at least 4,100 of them or all, under the name of the file.',
        },
      }),
    },
  };
}

/** The MIME types that may be declared for an accepted file. */
export function acceptedMimeTypes(allowedExtensions: readonly string[]): string[] {
  return Object.values(FILE_TYPES)
    .filter(({ extensions }) => extensions.some((extension) => allowedExtensions.includes(extension)))
    .flatMap(({ mimeTypes }) => [...mimeTypes]);
}

function isLocationRequired({ leadway }: Settings): boolean {
  return leadway.singleLocationId === null;
}

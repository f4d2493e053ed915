import { createRow } from './row.js';
import { formatSize, texts, translate } from './texts.js';
import { UploadError, uploadFile } from './upload.js';

/** The server gives every caller a few places; the rest of the files wait their turn here. */
const AT_ONCE = 3;

const [conversation, contact, channel, drop, input, limits, rows, status] = [
  'conversation',
  'contact',
  'channel',
  'drop',
  'files',
  'limits',
  'rows',
  'status',
].map((id) => document.getElementById(id));

translate();
const ready = connect();
ready.then(showLimits, () => {
  limits.textContent = texts.network;
  limits.classList.add('wrong');
});

input.addEventListener('change', () => {
  for (const file of input.files) add(file);
  input.value = ''; // the same file may be chosen again
});
channel.addEventListener('change', () => ready.then(showLimits));

// The whole window takes drops: a file that misses the frame must not replace the page.
addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) drop.classList.remove('over');
});
addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  for (const file of event.dataTransfer.files) add(file);
});

async function connect() {
  const { basePath, conversationId, contactId } = await load('demo.json');
  const config = await load(`${basePath}/config`);
  conversation.value = conversationId;
  contact.value = contactId;
  return {
    uploadUrl: `${basePath}/messages/upload`,
    forwardMaxBytes: config.limits.forwardMaxBytes,
    directMaxBytes: config.limits.directMaxBytes,
    isDirectOffered: config.modes.includes('direct'),
    extensions: config.types.flatMap(({ extensions }) => extensions),
  };
}

async function load(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

function showLimits({ extensions, forwardMaxBytes, directMaxBytes, isDirectOffered }) {
  const direct = isDirectOffered ? (directMaxBytes[channel.value] ?? directMaxBytes.default) : 0;
  const types = extensions.map((extension) => extension.toUpperCase()).join(', ');
  limits.textContent = texts.limits(types, formatSize(Math.max(forwardMaxBytes, direct)));
}

const waiting = [];
let running = 0;

function add(file) {
  const cancelling = new AbortController();
  const row = createRow(file, () => cancelling.abort());
  const { signal } = cancelling;
  const fields = { conversationId: conversation.value, contactId: contact.value, channel: channel.value };
  rows.prepend(row.element);
  waiting.push(() => run(file, row, { fields, signal, onProgress: row.showProgress }));
  startNext();
}

function startNext() {
  while (running < AT_ONCE && waiting.length > 0) {
    running += 1;
    waiting
      .shift()()
      .finally(() => {
        running -= 1;
        startNext();
      });
  }
}

async function run(file, row, options) {
  try {
    const result = await uploadFile(file, { api: await ready, ...options });
    row.showResult(result);
    status.textContent = texts.saidDone(file.name);
  } catch (error) {
    if (options.signal.aborted) return row.showCancelled();
    const known = error instanceof UploadError ? error : { message: texts.network, code: 'NETWORK' };
    row.showError(known);
    status.textContent = texts.saidFailed(file.name, known.message);
  }
}

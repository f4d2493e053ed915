const ENGLISH = {
  title: 'Leadway upload',
  heading: 'Post a file to a conversation',
  address: 'Addressed to',
  conversation: 'Conversation',
  rehearse: 'To rehearse a refusal, write',
  contact: 'Contact',
  channel: 'Channel',
  sandbox: 'This is the sandbox, a stand-in for Leadway. Nothing leaves this machine.',
  drop: 'Drop files here',
  choose: 'or choose them',
  rows: 'Files',
  limits: (types, size) => `Up to ${size} each on this channel.\n${types}`,
  waiting: 'Waiting',
  sending: (percent, size) => `${percent} of ${size}`,
  finishing: 'Waiting for Leadway',
  cancel: 'Cancel',
  cancelFile: (name) => `Cancel ${name}`,
  cancelled: 'Cancelled',
  progressOf: (name) => `Progress of ${name}`,
  forward: (size) => `${size}, forwarded while it streamed`,
  direct: (size) => `${size}, put straight into storage`,
  relay: (size) => `${size}, relayed into storage`,
  request: (code, id) => (id === '' ? code : `${code}, request ${id}`),
  network: 'The server could not be reached. Check that it is running and try again.',
  unreadable: 'The server answered something that this page does not understand.',
  saidDone: (name) => `${name} is uploaded.`,
  saidFailed: (name, message) => `${name} failed: ${message}`,
};

const SPANISH = {
  title: 'Carga a Leadway',
  heading: 'Envía un archivo a una conversación',
  address: 'Destino',
  conversation: 'Conversación',
  rehearse: 'Para ensayar un rechazo, escribe',
  contact: 'Contacto',
  channel: 'Canal',
  sandbox: 'Esto es el sandbox, un sustituto de Leadway. Nada sale de esta máquina.',
  drop: 'Suelta archivos aquí',
  choose: 'o elígelos',
  rows: 'Archivos',
  limits: (types, size) => `Hasta ${size} cada uno por este canal.\n${types}`,
  waiting: 'En espera',
  sending: (percent, size) => `${percent} de ${size}`,
  finishing: 'Esperando a Leadway',
  cancel: 'Cancelar',
  cancelFile: (name) => `Cancelar ${name}`,
  cancelled: 'Cancelado',
  progressOf: (name) => `Progreso de ${name}`,
  forward: (size) => `${size}, reenviado mientras llegaba`,
  direct: (size) => `${size}, subido directamente al almacenamiento`,
  relay: (size) => `${size}, retransmitido al almacenamiento`,
  request: (code, id) => (id === '' ? code : `${code}, solicitud ${id}`),
  network: 'No se pudo contactar con el servidor. Comprueba que esté en marcha e inténtalo de nuevo.',
  unreadable: 'El servidor respondió algo que esta página no entiende.',
  saidDone: (name) => `${name} se ha subido.`,
  saidFailed: (name, message) => `${name} ha fallado: ${message}`,
};

/** `es` or `en`, as the browser prefers. */
export const language = navigator.language.toLowerCase().startsWith('es') ? 'es' : 'en';

/** Everything that the page says, in its language. */
export const texts = language === 'es' ? SPANISH : ENGLISH;

const KIB = 1024;
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];

/** `1.4 MB`, with the decimal sign of the language. */
export function formatSize(bytes) {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log(bytes) / Math.log(KIB)), UNITS.length - 1);
  const format = new Intl.NumberFormat(language, {
    style: 'unit',
    unit: UNITS[power],
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power < 2 ? 0 : 1,
  });
  return format.format(bytes / KIB ** power).replace(' ', '\u00a0');
}

/** `63%`. */
export function formatPercent(fraction) {
  return new Intl.NumberFormat(language, { style: 'percent' }).format(fraction);
}

/** Puts the texts of the language into the elements that ask for them. */
export function translate() {
  document.documentElement.lang = language;
  document.title = texts.title;
  for (const element of document.querySelectorAll('[data-text]')) {
    element.textContent = texts[element.dataset.text];
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    element.ariaLabel = texts[element.dataset.label];
  }
}

import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { SECTIONS, type SETTINGS, type SettingName } from '../server/config/settings.ts';

const EXAMPLE = new URL('../.env.example', import.meta.url);
const GUIDE = new URL('../docs/configuration.md', import.meta.url);

const INTRODUCTION = `# Copy to .env for development and remove the # of what you change. Nothing here is needed to try the
# program: without a token it runs against its own sandbox. What each setting means in full: docs/configuration.md.
# Every secret X may be given as X_FILE, the path of a file, instead. \`npm run docs\` writes this file.
`;

type Entry = (typeof SETTINGS)[SettingName];

/** `.env.example`, from the table of settings. */
export function writeEnvExample(): string {
  const sections = Object.entries(SECTIONS).map(([title, settings]) => {
    const entries = Object.entries(settings).map(([name, setting]) => writeExample(name, setting));
    return `# ---- ${title} ----\n\n${entries.join('\n')}`;
  });
  return `${INTRODUCTION}\n${sections.join('\n')}`;
}

function writeExample(name: string, setting: Entry): string {
  const file = 'secret' in setting ? `#${name}_FILE=/run/secrets/${fileNameOf(name)}\n` : '';
  const doc = docOf(setting).replaceAll('`', '');
  return `# ${capitalise(doc)}\n#${name}=${setting.default ?? setting.example}\n${file}`;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function fileNameOf(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** `guide`, docs/configuration.md, with the table under the heading of each section written again. */
export function writeTables(guide: string): string {
  let text = guide;
  for (const [title, settings] of Object.entries(SECTIONS)) {
    const rows = Object.entries(settings).map(([name, setting]) => writeRow(name, setting));
    const table = ['| name | default | meaning |', '| --- | --- | --- |', ...rows, ''].join('\n');
    const [head = '', section] = text.split(new RegExp(`(?<=^## ${title}\\n\\n)`, 'm'));
    if (section === undefined) throw new TypeError(`docs/configuration.md has no section "${title}"`);
    text = head + table + section.replace(/^(?:\|.*\n)+/, '');
  }
  return text;
}

function writeRow(name: string, setting: Entry): string {
  const names = 'secret' in setting ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``;
  const initial = setting.default === null ? '—' : `\`${setting.default}\``;
  const sentences = [`${docOf(setting)}.`, setting.details];
  return `| ${names} | ${initial} | ${sentences.filter((sentence) => sentence).join(' ')} |`;
}

/** The line about the setting, with the kind of `AUTH` that it belongs to. */
function docOf({ doc, partOf }: Entry): string {
  return partOf?.includes('=') ? `\`${partOf}\`: ${doc.charAt(0).toLowerCase()}${doc.slice(1)}` : doc;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(EXAMPLE, writeEnvExample());
  writeFileSync(GUIDE, writeTables(readFileSync(GUIDE, 'utf8')));
}

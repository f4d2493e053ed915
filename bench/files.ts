import { globSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, settingsFromEnv } from '../server/index.ts';
import { createContent, createForm, FORM_TYPE } from './form.ts';
import type { Measured } from './report.ts';
import type { Bench } from './runner.ts';
import { OURS, ourEnvironment } from './targets.ts';

const OUR_FILE = /\/(server|middleware|routes)\/.*\.ts$/;
const LOADS = [
  { label: '100 KiB, held', bytes: 100 * 1024 },
  { label: '1 MB, streamed', bytes: 1_000_000 },
];

/** How many of our files one forwarded upload runs, by V8's precise coverage of the sources. */
export async function measureFiles({ plain, progress }: Bench): Promise<Measured> {
  progress('files');
  const ignore = (): void => {};
  const logger = { fatal: ignore, error: ignore, warn: ignore, info: ignore, debug: ignore, trace: ignore };
  const settings = settingsFromEnv({ ...ourEnvironment(0, plain), LOG_LEVEL: 'info' });
  await using server = createServer({ settings, logger });
  const { url } = await server.listen();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  const rows = [];
  for (const { label, bytes } of LOADS) {
    await upload(url, bytes); // loads what is loaded at first use
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    await upload(url, bytes);
    const { result } = await session.post('Profiler.takePreciseCoverage');
    await session.post('Profiler.stopPreciseCoverage');
    const counts = result
      .filter((script) => OUR_FILE.test(script.url) && !script.url.includes('/node_modules/'))
      .map(({ functions }) => functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0).length)
      .filter((count) => count > 0);
    const functions = counts.reduce((sum, count) => sum + count, 0);
    rows.push({ target: OURS, load: label, values: { files: counts.length, functions } });
  }
  session.disconnect();
  const all = globSync('{server,middleware,routes}/**/*.ts').length;
  return {
    title: 'Files',
    method: `Our files and functions that one forwarded upload runs, by V8's precise coverage of the sources. \`server/\`, \`middleware/\` and \`routes/\` have ${all} files.`,
    columns: [
      { value: 'files', title: 'files', digits: 0 },
      { value: 'functions', title: 'functions', digits: 0 },
    ],
    rows: [...rows, { target: OURS, load: 'all', values: { files: all, functions: null } }],
    notes: [],
  };
}

async function upload(url: string, bytes: number): Promise<void> {
  const body = new Uint8Array(createForm(createContent(bytes), 'clip.mp4', 'video/mp4'));
  const headers = { 'Content-Type': FORM_TYPE };
  const response = await fetch(new URL('/api/messages/upload', url), { method: 'POST', headers, body });
  if (response.status !== 200) throw new Error(await response.text());
  await response.arrayBuffer();
  await sleep(100); // what follows the response belongs to it
}

import { execFile, spawnSync } from 'node:child_process';
import { createReadStream, openAsBlob } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import axios, { type AxiosResponse } from 'axios';
import FormDataPackage from 'form-data';
import { FormDataEncoder } from 'form-data-encoder';
import got from 'got';
import ky from 'ky';
import superagent from 'superagent';
import * as undici from 'undici';
import { findProgram } from '../helpers/programs.ts';

/** One file to upload. */
export interface ClientUpload {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Where the file is. */
  readonly path: string;
}

/** What a client has read. */
export interface ClientResponse {
  readonly status: number;
  readonly text: string;
}

/** Uploads a file and reads the response; rejects if no whole response could be read. */
export type Upload = (upload: ClientUpload) => Promise<ClientResponse>;

/** An HTTP client, used as its documentation says. */
export interface Client {
  readonly name: string;
  /** What has to be installed for it and is not; null if nothing is missing. */
  missing(): string | null;
  readonly upload: Upload;
}

const run = promisify(execFile);

/** Every client that is not a browser. Those that must be compiled are, once, into `folder`, a temporary one. */
export function createClients(folder: () => string): readonly Client[] {
  let compiled: Promise<string> | null = null;
  return [
    { name: 'curl', missing: () => missingProgram('curl'), upload: (upload) => curl(upload) },
    {
      name: 'curl without Expect',
      missing: () => missingProgram('curl'),
      upload: (upload) => curl(upload, '-H', 'Expect:'),
    },
    { name: 'Python requests', missing: missingPython, upload: (upload) => python('requests', upload) },
    { name: 'Python urllib3', missing: missingPython, upload: (upload) => python('urllib3', upload) },
    {
      name: 'Go net/http',
      missing: () => missingProgram('go'),
      async upload(upload) {
        compiled ??= compileGo(folder());
        return toResponse(await run(await compiled, [upload.url, upload.path, ...pairsOf(upload)]));
      },
    },
    {
      name: 'fetch of Node',
      missing: () => null,
      async upload(upload) {
        const response = await fetch(upload.url, { method: 'POST', body: await nativeForm(upload) });
        return { status: response.status, text: await response.text() };
      },
    },
    { name: 'undici request', missing: () => null, upload: undiciRequest },
    {
      name: 'axios with FormData',
      missing: () => null,
      upload: async (upload) => toAxios(await axios.post(upload.url, await nativeForm(upload), AXIOS)),
    },
    {
      name: 'axios with form-data',
      missing: () => null,
      upload: async (upload) => toAxios(await axios.post(upload.url, packageForm(upload), AXIOS)),
    },
    {
      name: 'got',
      missing: () => null,
      async upload(upload) {
        const response = await got.post(upload.url, {
          body: await nativeForm(upload),
          throwHttpErrors: false,
          retry: { limit: 0 },
        });
        return { status: response.statusCode, text: response.body };
      },
    },
    {
      name: 'ky',
      missing: () => null,
      async upload(upload) {
        const response = await ky.post(upload.url, {
          body: await nativeForm(upload),
          throwHttpErrors: false,
          retry: 0,
          timeout: false,
        });
        return { status: response.status, text: await response.text() };
      },
    },
    {
      name: 'superagent',
      missing: () => null,
      async upload({ url, fields, path }) {
        const { status, text } = await superagent
          .post(url)
          .ok(() => true)
          .field({ ...fields })
          .attach('fileAttachment', path);
        return { status, text };
      },
    },
  ];
}

const AXIOS = {
  validateStatus: () => true,
  responseType: 'text',
  transformResponse: (text: string) => text,
  maxBodyLength: Number.POSITIVE_INFINITY,
} as const;

function toAxios({ status, data }: AxiosResponse<string>): ClientResponse {
  return { status, text: data };
}

async function nativeForm({ fields, path }: ClientUpload): Promise<FormData> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('fileAttachment', await openAsBlob(path), basename(path));
  return form;
}

function packageForm({ fields, path }: ClientUpload): FormDataPackage {
  const form = new FormDataPackage();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('fileAttachment', createReadStream(path));
  return form;
}

/** With an encoder: `undici.request` itself never sends a `FormData` with a large file. */
async function undiciRequest(upload: ClientUpload): Promise<ClientResponse> {
  const encoder = new FormDataEncoder(await nativeForm(upload));
  const { statusCode, body } = await undici.request(upload.url, {
    method: 'POST',
    headers: { ...encoder.headers },
    body: Readable.from(encoder),
  });
  return { status: statusCode, text: await body.text() };
}

async function curl({ url, fields, path }: ClientUpload, ...options: string[]): Promise<ClientResponse> {
  const form = Object.entries(fields).flatMap(([name, value]) => ['-F', `${name}=${value}`]);
  const file = ['-F', `fileAttachment=@${path}`];
  const { stdout } = await run('curl', [
    '-sS',
    '-m',
    '60',
    ...options,
    ...form,
    ...file,
    '-w',
    '\n%{http_code}',
    url,
  ]);
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
}

async function python(library: string, upload: ClientUpload): Promise<ClientResponse> {
  const script = fileURLToPath(new URL('upload.py', import.meta.url));
  return toResponse(
    await run(findPython() ?? 'python3', [script, library, upload.url, upload.path, ...pairsOf(upload)]),
  );
}

let pythonPath: string | null | undefined;

/** A Python that has the libraries: not always the first one on the PATH, which may also be a slow wrapper. */
function findPython(): string | null {
  pythonPath ??=
    ['python3', '/usr/bin/python3']
      .map((path) =>
        spawnSync(path, ['-c', 'import requests, sys; print(sys.executable)'], { encoding: 'utf8' }),
      )
      .find(({ status }) => status === 0)
      ?.stdout.trim() ?? null;
  return pythonPath;
}

function missingPython(): string | null {
  return findPython() === null ? 'Python with requests' : null;
}

function missingProgram(name: string): string | null {
  return findProgram(name) === undefined ? name : null;
}

async function compileGo(folder: string): Promise<string> {
  const program = join(folder, 'upload');
  const source = fileURLToPath(new URL('upload.go', import.meta.url));
  await run(findProgram('go') ?? 'go', ['build', '-o', program, source], { cwd: folder });
  return program;
}

function pairsOf({ fields }: ClientUpload): string[] {
  return Object.entries(fields).map(([name, value]) => `${name}=${value}`);
}

function toResponse({ stdout }: { readonly stdout: string }): ClientResponse {
  return JSON.parse(stdout) as ClientResponse;
}

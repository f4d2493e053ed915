import assert from 'node:assert/strict';
import { maxBytesFor, modesFor } from '../../client/file-check.ts';
import type { ClientConfig, Delivery } from '../../client/index.ts';
import { createFakeUploader } from '../../client/testing.ts';
import { createSandbox } from '../../sandbox/index.ts';
import { CHANNEL_RULES } from '../../server/delivery/channel-rules.ts';
import { REASONS } from '../../server/delivery/reasons.ts';
import { sizeText } from '../../server/errors/messages.ts';
import { namedRows, read } from '../documents/documents.ts';
import { call, fields, file, initiate, initiated, sendForm } from '../helpers/direct-steps.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const MIB = 1024 * 1024;
/** Of direct uploads: the vendor's. */
const DIRECT = { WHATSAPP: 100 * MIB, SMS: 5 * MIB, EMAIL: 5 * MIB } as const;
const FORWARD = 5 * MIB;

type Json = Record<string, unknown>;

/** The schemas in `schema` that are called `name`. */
function schemasOf(schema: unknown, name: string): Json[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => [
    ...(key === name ? [value as Json] : []),
    ...schemasOf(value, name),
  ]);
}

describe('limits and delivery', () => {
  let testServer: TestServer;
  let config: ClientConfig;
  let openapi: Json;
  before(async () => {
    testServer = await createTestServer();
    const get = async (path: string) =>
      JSON.parse((await call(`${testServer.api}${path}`, { method: 'GET' })).text);
    [config, openapi] = [await get('/config'), await get('/openapi.json')];
  });
  after(() => testServer[Symbol.asyncDispose]());

  for (const [channel, limit] of Object.entries(DIRECT)) {
    it(`of a direct upload are the same in sandbox, server, /config and client: ${channel}`, async () => {
      const { maxFileSize } = await initiated(testServer, { channel, fileSize: limit });
      assert.equal(maxFileSize, limit, 'the sandbox');
      const tooLarge = await initiate(testServer, { channel, fileSize: limit + 1 });
      assert.deepEqual([tooLarge.status, tooLarge.body.details?.['limit']], [413, limit], 'the server');
      const { directMaxBytes } = config.limits;
      assert.equal(directMaxBytes[channel] ?? directMaxBytes.default, limit, '/config');
      assert.equal(maxBytesFor({ channel, mode: 'direct' }, config), limit, 'the client');
      assert(modesFor(limit, { channel }, config).includes('direct'));
      assert(!modesFor(limit + 1, { channel }, config).includes('direct'));
    });
  }

  it('of forward are the vendor’s in settings, /config, client and documents', () => {
    const documented = new Map(
      namedRows(read('docs/configuration.md')).map(([name = '', value]) => [name, value]),
    );
    for (const name of ['FORWARD_MAX_BYTES', 'FORWARD_FALLBACK_MAX_BYTES']) {
      assert.equal(documented.get(`\`${name}\``), `\`${FORWARD}\``);
    }
    assert.equal(documented.get('`MAX_FILES`'), `\`${config.maxFiles}\``);
    assert.equal(config.limits.forwardMaxBytes, FORWARD);
    assert.equal(maxBytesFor({ mode: 'forward' }, config), FORWARD);
    assert.match(read('README.md'), /`FORWARD_MAX_BYTES`, 5 MiB by default/);
  });

  it('are those that the client’s fake server and the OpenAPI document name', async () => {
    const fake = await createFakeUploader().config();
    assert.deepEqual(fake.limits, config.limits);
    assert.equal(fake.maxFiles, config.maxFiles);
    assert.deepEqual(fake.modes, config.modes);
    const [direct] = schemasOf(openapi, 'directMaxBytes');
    assert.deepEqual(direct?.['examples'], [config.limits.directMaxBytes]);
    const [forward] = schemasOf(openapi, 'forwardMaxBytes');
    assert.deepEqual(forward?.['examples'], [config.limits.forwardMaxBytes]);
  });

  it('of requests are those of the sandbox’s accounts in its document', async () => {
    const text = read('docs/sandbox.md').replaceAll(/\s+/g, ' ');
    for (const [account, sentence] of [
      ['full', /100 in 10 s and 200,000 a day/],
      ['trial', /25 in 10 s and 10,000 a day/],
    ] as const) {
      const sandbox = await createSandbox({ account });
      const headers = { Authorization: `Bearer ${sandbox.token}`, Version: 'v3', Accept: 'application/json' };
      const response = await fetch(`${sandbox.url}/conversations/c1`, { headers });
      await response.text();
      await sandbox.close();
      const [max, daily] = (/(\d+) in 10 s and ([\d,]+)/.exec(sentence.source) ?? []).slice(1);
      assert.equal(response.headers.get('x-ratelimit-max'), max);
      assert.equal(response.headers.get('x-ratelimit-limit-daily'), daily?.replace(',', ''));
      assert.match(text, sentence);
    }
  });

  it('take either id in sandbox and server, and say so in the OpenAPI document', async () => {
    const { conversationId = '', contactId = '' } = testServer.fields;
    for (const id of [{ conversationId }, { contactId }]) {
      assert.equal((await sendForm(testServer, [...fields(id), file('a.txt', 'text')])).status, 200);
    }
    const { body } = await sendForm(testServer, [file('a.txt', 'text')]);
    assert.equal(body.code, 'MISSING_FIELD');
    assert.deepEqual(body.details?.['fields'], ['conversationId', 'contactId']);
    const schemas = schemasOf(openapi, 'anyOf').map((anyOf) => JSON.stringify(anyOf));
    assert(schemas.includes('[{"required":["conversationId"]},{"required":["contactId"]}]'));
  });

  it('are told in the same verdicts and reasons by OpenAPI document, client and docs', () => {
    const text = read('docs/delivery.md');
    const rows = namedRows(text);
    const verdicts: Record<Delivery['verdict'], true> = {
      ok: true,
      warning: true,
      unlikely: true,
      unknown: true,
    };
    const documented = rows
      .filter(([name = '']) => /^`[a-z]+`$/.test(name))
      .map(([name = '']) => name.slice(1, -1));
    assert.deepEqual(documented.sort(), Object.keys(verdicts).sort());
    const enums = schemasOf(openapi, 'verdict').map((schema) => schema['enum'] as string[]);
    assert(enums.some((found) => found.length === documented.length));
    for (const found of enums)
      assert.deepEqual(
        found.filter((verdict) => !documented.includes(verdict)),
        [],
      );
    const reasons = rows.filter(
      ([name = '']) => /^`[A-Z_]{8,}`$/.test(name) && !(name.slice(1, -1) in CHANNEL_RULES),
    );
    assert.deepEqual(
      Object.fromEntries(reasons.map(([name = '', verdict]) => [name.slice(1, -1), verdict])),
      Object.fromEntries(Object.entries(REASONS).map(([code, { verdict }]) => [code, verdict])),
    );
    const codes = schemasOf(openapi, 'code').find((schema) =>
      (schema['enum'] as string[] | undefined)?.includes('CODEC_NOT_SEEN'),
    );
    assert.deepEqual(new Set(codes?.['enum'] as string[]), new Set(Object.keys(REASONS)));
  });

  it('have one table of channels in /config and docs, with source and date', () => {
    const text = read('docs/delivery.md');
    const told = Object.fromEntries(
      Object.entries(CHANNEL_RULES).map(([name, { source: _source, date: _date, ...rule }]) => [name, rule]),
    );
    assert.deepEqual(config.delivery?.channels, JSON.parse(JSON.stringify(told)));
    const table = text.slice(text.indexOf('## What each channel delivers'), text.indexOf('## Reasons'));
    for (const [name, rule] of Object.entries(CHANNEL_RULES)) {
      const start = table.indexOf(`| \`${name}\``);
      assert(start >= 0, name);
      const next = table.slice(start + 1).search(/\n\| `|\n\n/);
      const row = table.slice(start, start + 1 + next);
      assert(row.includes(rule.source), `${name}: its source`);
      assert(table.includes(`read on ${rule.date}`), `${name}: its date`);
      for (const bytes of [rule.maxBytesInAll, rule.tollFreeMaxBytes]) {
        if (bytes !== undefined) assert(row.includes(sizeText(bytes).en), `${name}: ${sizeText(bytes).en}`);
      }
      for (const { formats, maxBytes } of Object.values(rule.kinds ?? {})) {
        if (maxBytes !== undefined)
          assert(row.includes(sizeText(maxBytes).en), `${name}: ${sizeText(maxBytes).en}`);
        for (const format of formats) {
          const written = format === 'jpg' ? 'JPEG' : format.toUpperCase();
          assert(row.includes(written), `${name}: ${written}`);
        }
      }
    }
  });

  it('are expected before the upload as the server tells them of it', async () => {
    for (const [channel, warnings] of Object.entries(config.delivery?.warnings ?? {})) {
      for (const { code, verdict, extensions, aboveBytes } of warnings) {
        const reason = Object.hasOwn(REASONS, code) ? REASONS[code as keyof typeof REASONS] : null;
        assert.equal(reason?.verdict, verdict, `${channel} ${code}`);
        const filename = `a.${extensions?.[0] ?? 'pdf'}`;
        const fileSize = aboveBytes + 1;
        const { status, text } = await initiate(testServer, { channel, filename, contentType: '', fileSize });
        if (status !== 200) continue; // larger than the vendor takes on the channel
        const { reasons } = (JSON.parse(text) as { delivery: Delivery }).delivery;
        assert(
          reasons.some((found) => found.code === code),
          `${channel} ${filename} ${fileSize}: ${code}`,
        );
      }
    }
  });
});

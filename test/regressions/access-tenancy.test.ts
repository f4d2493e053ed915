import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Call, call } from '../helpers/call.ts';
import { fixture, mp4, type Part } from '../helpers/multipart.ts';
import {
  type ApiResponse,
  filePart,
  type ResponseBody,
  sendUpload,
  textParts,
} from '../helpers/send-upload.ts';
import { encryptContext, SSO_ENV, userContext } from '../helpers/sso-context.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const TOKENS = { locationA: 'token-of-a', locationB: 'token-of-b', locationC: 'token-of-c' };
const png = filePart('a.png', fixture('picture.png'));

describe('clients of several locations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenancy-'));
  const file = join(folder, 'tokens.json');
  let testServer: TestServer;
  /** How many requests Leadway had got before those that a case is about. */
  let earlier = 0;
  before(async () => {
    writeFileSync(file, JSON.stringify(TOKENS));
    testServer = await served({
      AUTH: 'header',
      TRUST_PROXY: 'loopback',
      AUTH_LOCATIONS_HEADER: 'X-Locations',
      PASSTHROUGH: 'GET /locations/:locationId/tags,GET /conversations/search,POST /conversations/messages',
    });
  });
  after(async () => {
    await testServer[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => forgetRequests());
  afterEach(() => {
    for (const line of testServer.log.lines) {
      for (const token of Object.values(TOKENS)) assert(!line.includes(token), line);
    }
  });

  function forgetRequests(): void {
    earlier = testServer.sandbox.requests.length;
  }
  function served(env: Readonly<Record<string, string>>): Promise<TestServer> {
    return createTestServer({
      sandbox: { tokens: TOKENS },
      env: { LEADWAY_TOKEN: '', LEADWAY_LOCATION_ID: '', LEADWAY_TOKENS_FILE: file, ...env },
    });
  }
  const user = (locations: string | null, name = 'maria') => ({
    'X-Forwarded-User': name,
    ...(locations !== null && { 'X-Locations': locations }),
  });
  const locationField = (value: string): Part => ({ name: 'locationId', content: value });
  const upload = (locations: string | null, parts: readonly Part[], query = ''): Promise<ApiResponse> =>
    sendUpload(testServer, [...textParts(testServer.fields), ...parts], { headers: user(locations), query });
  const initiate = async (locations: string, locationId: string, name?: string): Promise<ApiResponse> => {
    const json = { ...testServer.fields, locationId, filename: 'a.png', contentType: 'image/png' };
    return call(testServer, {
      method: 'POST',
      path: '/messages/upload/initiate',
      json,
      headers: user(locations, name),
    });
  };
  const ticketOf = ({ status, text }: ApiResponse): string => {
    assert.equal(status, 200, text);
    return (JSON.parse(text) as { ticket: string }).ticket;
  };
  const withoutId = ({ requestId: _, ...rest }: ResponseBody): string => JSON.stringify(rest);
  /** Nothing of a rejected call may have reached Leadway whole. */
  const assertNothingSent = async (): Promise<void> => {
    await testServer.sandbox.waitFor((all) => all.every(({ complete, aborted }) => complete || aborted));
    assert.deepEqual(
      testServer.sandbox.requests
        .slice(earlier)
        .filter(({ complete }) => complete)
        .map(({ path }) => path),
      [],
    );
  };

  it('sends each location its own token', async () => {
    for (const [locationId, token] of Object.entries(TOKENS)) {
      const response = await upload('locationA,locationB,locationC', [locationField(locationId), png]);
      assert.equal(response.status, 200, response.text);
      const sent = testServer.sandbox.requests.at(-1);
      assert.equal(sent?.headers['authorization'], `Bearer ${token}`);
      assert.deepEqual(sent.fields?.['locationId'], [locationId]);
    }
  });

  it('takes the only location that a client has when none is named', async () => {
    assert.equal((await upload('locationB', [png])).status, 200);
    assert.equal(testServer.sandbox.requests.at(-1)?.headers['authorization'], 'Bearer token-of-b');
  });

  it('asks a client of two locations which one, before the file', async () => {
    assert.equal((await upload('locationA,locationB', [png])).body.code, 'MISSING_FIELD');
    const late = await upload('locationA,locationB', [
      filePart('a.mp4', mp4(600_000)),
      locationField('locationA'),
    ]);
    assert.equal(late.body.code, 'FIELD_ORDER');
    await assertNothingSent();
  });

  const places: Readonly<Record<string, (locationId: string) => Promise<ApiResponse>>> = {
    'a field before the file': (id) => upload('locationA', [locationField(id), png]),
    'a field after the file': (id) => upload('locationA', [png, locationField(id)]),
    'a field after a file that is streamed': (id) =>
      upload('locationA', [filePart('a.mp4', mp4(600_000)), locationField(id)]),
    'the query of an upload': (id) => upload('locationA', [png], `?locationId=${id}`),
    'the query of a direct upload': (id) => upload('locationA', [png], `?mode=direct&locationId=${id}`),
    'the query of a relayed upload': (id) => upload('locationA', [png], `?mode=relay&locationId=${id}`),
    'the JSON of initiate': (id) => initiate('locationA', id),
    'the form of initiate': (id) =>
      sendUpload(
        { ...testServer, api: `${testServer.api}/messages/upload/initiate?x=` },
        [...textParts(testServer.fields), locationField(id), png],
        { headers: user('locationA') },
      ),
    'the query of a passed call': (id) =>
      call(testServer, { path: `/conversations/search?locationId=${id}`, headers: user('locationA') }),
    'the path of a passed call': (id) =>
      call(testServer, { path: `/locations/${id}/tags`, headers: user('locationA') }),
    'the JSON of a passed call': (id) =>
      call(testServer, {
        method: 'POST',
        path: '/conversations/messages',
        json: { type: 'SMS', contactId: testServer.sandbox.contactId, locationId: id },
        headers: user('locationA'),
      }),
  };
  for (const [place, send] of Object.entries(places)) {
    it(`rejects another’s location in ${place}, in the words for one that does not exist`, async () => {
      const others = await send('locationB');
      const nobodys = await send('locationX');
      assert.equal(others.status, 403, others.text);
      assert.equal(others.body.code, 'LOCATION_NOT_ALLOWED');
      assert.equal(withoutId(others.body), withoutId(nobodys.body));
      await assertNothingSent();
    });
  }

  it('rejects a request that names two locations, in query and field, even both its own', async () => {
    const own = 'locationA,locationB';
    const both = await upload(own, [locationField('locationB'), png], '?locationId=locationA');
    assert.equal(both.body.code, 'DUPLICATE_FIELD');
    for (const [query, field] of [
      ['locationA', 'locationC'],
      ['locationC', 'locationA'],
    ]) {
      const mixed = await upload(own, [locationField(field ?? ''), png], `?locationId=${query}`);
      assert.equal(mixed.body.code, 'LOCATION_NOT_ALLOWED');
    }
    const twice = await upload(own, [locationField('locationA'), locationField('locationB'), png]);
    assert.equal(twice.body.code, 'DUPLICATE_FIELD');
    const twiceInQuery = await upload(own, [png], '?locationId=locationA&locationId=locationB');
    assert.equal(twiceInQuery.body.code, 'DUPLICATE_FIELD');
    await assertNothingSent();
  });

  it('gives nothing to a client without a location, or with none that is configured', async () => {
    for (const locations of [null, '', ' , ', 'locationX', '*', 'locationa', 'location']) {
      for (const parts of [[png], [locationField('locationA'), png]]) {
        assert.equal((await upload(locations, parts)).body.code, 'LOCATION_NOT_ALLOWED', String(locations));
      }
      const path = '/conversations/search';
      const passed = await call(testServer, { path, headers: user(locations) });
      assert.equal(passed.body.code, 'LOCATION_NOT_ALLOWED');
    }
    await assertNothingSent();
  });

  it('does not take a list of locations that came twice', async () => {
    const headers: Call['headers'] = {
      'X-Forwarded-User': 'maria',
      'X-Locations': ['locationA', 'locationB'],
    };
    const json = {
      ...testServer.fields,
      locationId: 'locationB',
      filename: 'a.png',
      contentType: 'image/png',
    };
    const response = await call(testServer, {
      method: 'POST',
      path: '/messages/upload/initiate',
      json,
      headers,
    });
    assert.equal(response.body.code, 'LOCATION_NOT_ALLOWED');
  });

  const present = (locations: string | null, ticket: string, name?: string): Promise<ApiResponse> =>
    call(testServer, {
      method: 'POST',
      path: '/messages/upload/complete',
      json: { ticket },
      headers: user(locations, name),
    });
  const relay = (locations: string | null, ticket: string, name?: string): Promise<ApiResponse> =>
    call(testServer, {
      method: 'PUT',
      path: '/messages/upload/content',
      headers: { ...user(locations, name), 'Upload-Ticket': ticket },
    });

  it('rejects the ticket of another client, to complete and to relay', async () => {
    const ticket = ticketOf(await initiate('locationA', 'locationA', 'maria'));
    forgetRequests();
    assert.equal((await present('locationA', ticket, 'pedro')).body.code, 'TICKET_INVALID');
    assert.equal((await relay('locationA', ticket, 'pedro')).body.code, 'TICKET_INVALID');
    await assertNothingSent();
  });

  it('rejects a client’s own ticket once its location is no longer the client’s', async () => {
    const ticket = ticketOf(await initiate('locationA,locationB', 'locationB'));
    forgetRequests();
    for (const locations of ['locationA', 'locationX', null]) {
      assert.equal((await present(locations, ticket)).body.code, 'TICKET_INVALID');
      assert.equal((await relay(locations, ticket)).body.code, 'TICKET_INVALID');
    }
    await assertNothingSent();
    assert.equal((await present('locationB', ticket)).body.code, 'NOT_UPLOADED');
  });

  it('does not let the fields of complete move a ticket to another location', async () => {
    const ticket = ticketOf(await initiate('locationA,locationB', 'locationA'));
    forgetRequests();
    const response = await call(testServer, {
      method: 'POST',
      path: '/messages/upload/complete',
      json: { ticket, locationId: 'locationB' },
      headers: user('locationA,locationB'),
    });
    assert.equal(response.body.code, 'INVALID_FIELD');
    await assertNothingSent();
  });

  it('holds a session to the one location that its page was open in, tickets included', async () => {
    await using sso = await served(SSO_ENV);
    const sessionIn = async (location: string): Promise<{ Authorization: string }> => {
      const json = { payload: encryptContext(userContext(location)) };
      const { text } = await call(sso, { method: 'POST', path: '/session', json });
      return { Authorization: `Bearer ${(JSON.parse(text) as { token: string }).token}` };
    };
    const [inA, inB] = [await sessionIn('locationA'), await sessionIn('locationB')];
    const form = [...textParts(sso.fields), locationField('locationB'), png];
    assert.equal((await sendUpload(sso, form, { headers: inA })).body.code, 'LOCATION_NOT_ALLOWED');
    assert.equal((await sendUpload(sso, form, { headers: inB })).status, 200);
    assert.equal(sso.sandbox.requests.at(-1)?.headers['authorization'], 'Bearer token-of-b');

    const json = { ...sso.fields, filename: 'a.png', contentType: 'image/png' };
    const path = '/messages/upload/initiate';
    const ticket = ticketOf(await call(sso, { method: 'POST', path, json, headers: inA }));
    const complete = { method: 'POST', path: '/messages/upload/complete', json: { ticket } };
    // The same user, and yet another location.
    assert.equal((await call(sso, { ...complete, headers: inB })).body.code, 'TICKET_INVALID');
    assert.equal((await call(sso, { ...complete, headers: inA })).body.code, 'NOT_UPLOADED');
  });
});

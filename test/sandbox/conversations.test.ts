import assert from 'node:assert/strict';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { apiHeaders, postJson, send } from './send.ts';

describe('sandbox conversation endpoints', () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await createSandbox();
  });
  after(() => sandbox.close());

  const get = (path: string) => send(`${sandbox.url}${path}`, { headers: apiHeaders(sandbox) });

  it('responds to a conversation with an echo and a cookie', async () => {
    const response = await get('/conversations/abc?x=1');
    assert.equal(response.status, 200);
    assert.deepEqual([response.json.id, response.json.locationId], ['abc', sandbox.locationId]);
    assert.deepEqual(response.json.echo, {
      method: 'GET',
      path: '/conversations/abc',
      query: { x: '1' },
      body: {},
    });
    assert.match(response.headers['set-cookie']?.[0] ?? '', /^__cf_bm=/);
    assert.equal((await get('/conversations/missing1')).status, 500);
    assert.equal((await get('/conversations/fault-status-503')).status, 503);
  });

  it('takes a message and echoes it', async () => {
    const message = {
      type: 'SMS',
      contactId: 'c1',
      message: 'hola',
      attachments: ['https://files.example/a.png'],
    };
    const response = await postJson(sandbox, '', message);
    assert.equal(response.status, 201);
    assert.deepEqual(response.json.echo.body, message);
    assert.ok(response.headers['set-cookie']);
    assert.equal((await postJson(sandbox, '', { contactId: 'c1' })).status, 400);
  });

  it('searches within the location of the token only', async () => {
    assert.equal((await get(`/conversations/search?locationId=${sandbox.locationId}`)).json.total, 1);
    assert.equal((await get('/conversations/search?locationId=another')).status, 403);
    assert.equal((await get('/conversations/search')).status, 400);
  });

  it('lists messages and knows no other path', async () => {
    assert.deepEqual((await get('/conversations/abc/messages')).json.messages.messages, []);
    const other = await get('/contacts/abc');
    assert.deepEqual([other.status, other.json.message], [404, 'Cannot GET /contacts/abc']);
    assert.equal((await get('//evil.example/conversations')).status, 404);
  });
});

import assert from 'node:assert/strict';
import type { LeadwayRejection } from '../../../server/leadway/errors.ts';
import { createTokenHealth, type TokenHealth } from '../../../server/leadway/token-store.ts';
import { createLogger } from '../../../server/logger.ts';
import { LogSink } from '../../helpers/log-sink.ts';

const rejection = (status: number, message = ''): LeadwayRejection => ({
  status,
  message,
  traceId: null,
  retryAfterMs: null,
  isWebPage: false,
});
const BAD = rejection(401, 'Invalid JWT');
const SCOPE = rejection(401, 'The token is not authorized for this scope.');
const CALL = 'GET /conversations/:id';

describe('what Leadway rejects about a token', () => {
  let log: LogSink;
  let notices: TokenHealth;
  beforeEach(async () => {
    log = new LogSink();
    notices = createTokenHealth(await createLogger({ level: 'trace', destination: log }));
  });
  const levels = (): unknown[] => log.entries.map(({ level }) => level);

  it('is an error in the log once, and in the readiness probe until it is fixed', () => {
    assert.equal(notices.text(), null);
    for (let time = 0; time < 3; time += 1) notices.noteRejected(BAD, 'l1', 'uploads');
    assert.deepEqual(levels(), ['error', 'debug', 'debug']);
    const [{ locationId, upstreamStatus } = {}] = log.entries;
    assert.deepEqual([locationId, upstreamStatus], ['l1', 401]);
    assert.match(notices.text() ?? '', /^Leadway rejected the token: [^.]*\. [^.]*\.$/);
    notices.noteAccepted('l1', 'uploads');
    assert.equal(notices.text(), null);
    assert.deepEqual(levels().slice(3), ['info']);
    notices.noteRejected(BAD, 'l1', 'uploads');
    assert.equal(levels().at(-1), 'error', 'and again when it comes back');
  });

  it('is not fixed by the success of another location', () => {
    notices.noteRejected(BAD, 'l1', 'uploads');
    notices.noteAccepted('l2', 'uploads');
    assert.match(notices.text() ?? '', /rejected the token/);
    notices.noteRejected(BAD, 'l2', 'uploads');
    assert.equal(levels().at(-1), 'error', 'each location is named');
    assert.deepEqual(
      log.entries.filter(({ level }) => level === 'error').map(({ locationId }) => locationId),
      ['l1', 'l2'],
    );
    assert.equal(notices.text()?.match(/rejected the token/g)?.length, 1, 'said once, without the locations');
  });

  it('is one thing for each use when a scope is missing, and one for all when the token is bad', () => {
    notices.noteRejected(SCOPE, 'l1', 'uploads');
    notices.noteRejected(SCOPE, 'l1', CALL);
    assert.deepEqual(levels(), ['error', 'error'], 'they are two scopes');
    notices.noteAccepted('l1', 'uploads');
    assert.match(notices.text() ?? '', /lacks the scope of GET \/conversations\/:id/);
    notices.noteAccepted('l1', CALL);
    assert.equal(notices.text(), null);
    notices.noteRejected(BAD, 'l1', 'uploads');
    notices.noteRejected(BAD, 'l1', CALL);
    assert.equal(levels().at(-1), 'debug', 'the same sentence');
    notices.noteAccepted('l1', CALL);
    assert.equal(notices.text(), null, 'a token that works is not bad');
  });

  it('is nothing where a rejection is about something else', () => {
    for (const status of [400, 404, 429, 500]) notices.noteRejected(rejection(status), 'l1', 'uploads');
    notices.noteRejected({ ...BAD, isWebPage: true }, 'l1', 'uploads');
    notices.noteAccepted('l1', 'uploads');
    assert.deepEqual(log.lines, []);
    assert.equal(notices.text(), null);
    notices.noteRejected(rejection(403), 'l1', 'uploads');
    assert.match(notices.text() ?? '', /no access to this location/);
  });
});

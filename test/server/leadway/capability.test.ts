import assert from 'node:assert/strict';
import {
  createDirectCapability,
  isEndpointMissing,
  meansNotOffered,
} from '../../../server/leadway/capability.ts';
import type { LeadwayRejection } from '../../../server/leadway/errors.ts';
import { createLogger } from '../../../server/logger.ts';
import { LogSink } from '../../helpers/log-sink.ts';

function rejection(status: number, message: string): LeadwayRejection {
  return { status, message, traceId: null, retryAfterMs: null, isWebPage: false };
}

describe('the memory of what Leadway offers', () => {
  it('counts direct uploads as offered until they are rejected, per location', async () => {
    const capability = createDirectCapability(
      await createLogger({ level: 'info', destination: new LogSink() }),
    );
    assert(capability.isOffered('a'));
    capability.noteUnavailable('a');
    assert(!capability.isOffered('a'));
    assert(capability.isOffered('b'));
  });

  it('asks again after ten minutes, and believes a success at once', async () => {
    const log = new LogSink();
    let now = 0;
    const logger = await createLogger({ level: 'info', destination: log });
    const capability = createDirectCapability(logger, () => now);
    capability.noteUnavailable('a');
    now = 10 * 60_000 - 1;
    capability.noteUnavailable('a');
    assert(!capability.isOffered('a'));
    assert.equal(log.lines.length, 1);
    now += 10 * 60_000;
    assert(capability.isOffered('a'));
    capability.noteUnavailable('a');
    capability.noteOffered('a');
    assert(capability.isOffered('a'));
  });
});

describe('a rejection of initiate', () => {
  const notOffered: readonly (readonly [number, string])[] = [
    [401, 'This AuthClass is not yet supported'],
    [401, 'The token is not authorized for this scope.'],
    [403, 'Forbidden resource'],
    [404, 'Cannot POST /conversations/messages/upload/initiate'],
    [404, ''],
    [410, 'Gone'],
  ];
  for (const [status, message] of notOffered) {
    it(`means that direct is not offered when it is ${status} "${message}"`, () => {
      assert(meansNotOffered(rejection(status, message)));
    });
  }

  const otherwise: readonly (readonly [number, string])[] = [
    [400, 'filename must be a string'],
    [401, 'Invalid JWT'],
    [403, 'The token does not have access to this location.'],
    [403, 'You have no access to this conversation'],
    [404, 'Conversation with id x not found'],
    [404, 'No conversation found'],
    [404, 'Could not find the contact of this conversation'],
    [413, 'File size exceeds the maximum of 5MB'],
    [429, 'Too Many Requests'],
    [500, 'Internal server error'],
    [503, ''],
  ];
  for (const [status, message] of otherwise) {
    it(`means something else when it is ${status} "${message}"`, () => {
      assert(!meansNotOffered(rejection(status, message)));
    });
  }

  it('tells a missing address from a missing file', () => {
    assert(isEndpointMissing(rejection(404, 'Cannot POST /conversations/messages/upload/complete')));
    assert(!isEndpointMissing(rejection(404, 'File not found in storage')));
    assert(!isEndpointMissing(rejection(400, 'Cannot POST')));
  });
});

import assert from 'node:assert/strict';
import type { FaultName } from '../../sandbox/index.ts';
import {
  assertRefused,
  complete,
  initiated,
  putContent,
  type StepBody,
  seen,
} from '../helpers/direct-steps.ts';
import { createHouse, type House, settled } from '../helpers/house.ts';
import { mp4 } from '../helpers/multipart.ts';
import { connectTo, type RawCaller } from '../helpers/raw-caller.ts';

const FILM = { filename: 'film.mp4', contentType: 'video/mp4', channel: 'WHATSAPP' };

/** What becomes of storage while it gets a file, and what the caller is told. */
const FAULTS: readonly (readonly [FaultName, number, string, number?])[] = [
  ['storage-403', 502, 'STORAGE_REFUSED', 403],
  ['storage-expired', 502, 'STORAGE_REFUSED', 400],
  ['storage-status-412', 502, 'STORAGE_REFUSED', 412],
  ['storage-status-503', 502, 'STORAGE_REFUSED', 503],
  ['storage-status-302', 502, 'STORAGE_REFUSED', 302],
  ['storage-status-307', 502, 'STORAGE_REFUSED', 307],
  ['storage-reset', 502, 'UPSTREAM_ABORTED'],
  ['storage-never-answers', 504, 'UPSTREAM_TIMEOUT'],
  ['storage-stops-reading', 504, 'UPSTREAM_TIMEOUT'],
  ['storage-refuse', 502, 'UPSTREAM_UNREACHABLE'],
];

describe('PUT /messages/upload/content when a side fails', () => {
  let house: House;
  before(async () => {
    house = await createHouse({ env: { UPSTREAM_TIMEOUT_MS: '300' } });
  });
  beforeEach(async () => {
    house.sandbox.reset();
    await house.sandbox.ready();
  });
  afterEach(() => house.assertTidy());
  after(() => house[Symbol.asyncDispose]());

  for (const [fault, status, code, storageStatus] of FAULTS) {
    for (const [size, bytes] of [
      ['small', 6_000],
      ['large', 20_000_000],
    ] as const) {
      it(`answers ${code} to ${fault} of a ${size} file`, async () => {
        const step = await initiated(house, FILM);
        house.sandbox.fault = fault;
        await house.sandbox.ready();
        const reply = await putContent(house, step, mp4(bytes));
        const details = assertRefused(reply, status, code);
        if (storageStatus !== undefined) assert.deepEqual(details, { storageStatus });
        assert(!/X-Goog|127\.0\.0\.1|Signature|sandbox/.test(reply.text), reply.text);
        house.sandbox.fault = null;
        await house.sandbox.ready();
        assertRefused(await complete(house, { ticket: step.ticket }), 404, 'NOT_UPLOADED');
        // With a full buffer it does not notice that we have left.
        if (fault === 'storage-stops-reading') house.sandbox.reset();
      });
    }
  }

  it('works after a failure, with the same ticket', async () => {
    const step = await initiated(house, FILM);
    house.sandbox.fault = 'once-storage-reset';
    assertRefused(await putContent(house, step, mp4(50_000)), 502, 'UPSTREAM_ABORTED');
    assert.equal((await putContent(house, step, mp4(50_000))).status, 204);
    assert.equal((await complete(house, { ticket: step.ticket })).status, 200);
  });

  it('is not timed out by a slow storage, nor by a slow caller', async () => {
    // Longer than the time-out in all, and by far not from one piece to the next.
    await using patient = await createHouse({
      env: { UPSTREAM_TIMEOUT_MS: '1000' },
      sandbox: { slowMs: 1_500 },
    });
    const step = await initiated(patient, FILM);
    patient.sandbox.fault = 'storage-slow-body';
    assert.equal((await putContent(patient, step, mp4(400_000))).status, 204);
  });

  async function begin(step: StepBody, length: number): Promise<RawCaller> {
    const caller = await connectTo(house);
    const head = [
      'PUT /api/messages/upload/content HTTP/1.1',
      'Host: localhost',
      `Upload-Ticket: ${step.ticket}`,
      `Content-Type: ${step.contentType}`,
      `Content-Length: ${length}`,
    ];
    await caller.send(`${head.join('\r\n')}\r\n\r\n`);
    return caller;
  }

  for (const [when, bytes] of [
    ['before the head is there', 100],
    ['in the middle', 600_000],
    ['one byte before the end', 999_999],
  ] as const) {
    it(`leaves storage without an object when the caller leaves ${when}`, async () => {
      const step = await initiated(house, FILM);
      using caller = await begin(step, 1_000_000);
      await caller.send(mp4(bytes));
      if (bytes > 5_000) await house.sandbox.waitFor(() => (seen(house, 'put')[0]?.bodyBytes ?? 0) > 0);
      caller.leave();
      await settled(() => house.server.context.slots.taken === 0, 'the slot is free');
      await house.sandbox.waitFor((requests) =>
        requests.every(({ complete, aborted }) => complete || aborted),
      );
      assert(seen(house, 'put').every(({ complete }) => !complete));
      assertRefused(await complete(house, { ticket: step.ticket }), 404, 'NOT_UPLOADED');
    });
  }

  it('keeps no connection after callers have left', async () => {
    await settled(() => house.server.openConnections() === 0, 'the callers of before are gone');
    const step = await initiated(house, FILM);
    for (let count = 0; count < 5; count++) {
      using caller = await begin(step, 1_000_000);
      await caller.send(mp4(300_000));
      caller.leave();
    }
    await settled(() => house.server.openConnections() === 0, 'no caller is connected');
    await house.sandbox.waitFor((requests) => requests.every(({ complete, aborted }) => complete || aborted));
  });

  it('answers what is wrong while the caller is still sending', async () => {
    const step = await initiated(house, FILM);
    using caller = await begin(step, 50_000_000);
    await caller.send(Buffer.alloc(5_000, 'not a film'));
    assert.equal((await caller.answer()).body.code, 'TYPE_MISMATCH');
    assert.equal(seen(house, 'put').length, 0);
    caller.leave();
  });

  it('takes a success before storage had everything for a failure', async () => {
    for (const status of [200, 299] as const) {
      house.sandbox.fault = null;
      const step = await initiated(house, FILM);
      house.sandbox.fault = `storage-status-${status}`;
      using caller = await begin(step, 50_000_000);
      await caller.send(mp4(200_000));
      const { status: told, body } = await caller.answer();
      assert.deepEqual([told, body.code, body.details], [502, 'STORAGE_REFUSED', { storageStatus: status }]);
      caller.leave();
    }
  });

  it('passes early refusals of storage on while the caller is still sending', async () => {
    const step = await initiated(house, FILM);
    house.sandbox.fault = 'storage-403';
    using caller = await begin(step, 50_000_000);
    await caller.send(mp4(200_000));
    assert.equal((await caller.answer()).body.code, 'STORAGE_REFUSED');
    caller.leave();
  });
});

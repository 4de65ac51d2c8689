import { ORG, scope } from '../../../src/testing/flow-world';
import { createPushWorld, type PushWorld } from '../../support/push-world';
import { PUSH_RETRIES_MS } from '../../../src/delivery/push-retry-policy';

let world: PushWorld;
beforeEach(async () => {
  world = await createPushWorld();
});
afterEach(() => world.close());

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const waiting = async (sessionId: string) => (await world.inbox(sessionId)).length;
const eventsOf = async (sessionId: string, type: string) =>
  (await world.events(sessionId)).map(({ body }) => body).filter(body => body.type === type);

/** Runs the attempts of the current head, each at its own time. */
async function tryOn(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const [seconds = 0] = await world.retryDelays();
    world.time.ms += seconds * 1_000;
    await world.passRetries();
    await world.push();
  }
}

describe('an endpoint that answers 410', () => {
  it("is disabled at once, with an event in the session's history and a log line; nothing is lost", async () => {
    const { id: endpointId } = await world.endpoint();
    const { id } = await world.open();
    world.receiver.answer = () => 410;
    await world.agentSays(id, 'one', 'two');
    await world.push();
    expect(await world.endpointNow(endpointId)).toMatchObject({
      state: 'DISABLED',
      disabledReason: 'GONE',
      disabledAt: '2026-11-22T12:00:00.000Z',
      lastFailureCode: 'ENDPOINT_GONE',
      lastFailureStatus: 410,
    });
    expect(await eventsOf(id, 'RUNTIME_ENDPOINT_DISABLED')).toEqual([
      { type: 'RUNTIME_ENDPOINT_DISABLED', endpointId, reason: 'GONE', code: 'ENDPOINT_GONE' },
    ]);
    expect(world.logged.filter(({ message }) => message.includes('disabled')).map(({ fields }) => fields)).toEqual([
      {
        endpointId,
        organizationId: ORG,
        reason: 'GONE',
        firstFailureAt: '2026-11-22T12:00:00.000Z',
        code: 'ENDPOINT_GONE',
      },
    ]);
    await world.agentSays(id, 'three');
    await world.passRetries();
    await world.push();
    expect([world.receivedTexts(), await waiting(id)]).toEqual([['one'], 3]);

    world.receiver.answer = () => 204;
    expect(await world.flows.enableEndpoint(scope, endpointId)).toMatchObject({
      state: 'ACTIVE',
      disabledReason: null,
      disabledAt: null,
      firstFailureAt: null,
    });
    await world.push();
    expect([world.receivedTexts(), await waiting(id)]).toEqual([['one', 'one', 'two', 'three'], 0]);
  });
});

describe('an endpoint that an operator disables', () => {
  it('receives nothing more, keeps its first reason, and starts from the beginning when it is enabled again', async () => {
    const { id: endpointId } = await world.endpoint();
    const { id } = await world.open();
    world.receiver.answer = () => 500;
    await world.agentSays(id, 'one');
    await world.push();
    await tryOn(3);
    expect((await world.retryDelays())[0]).toBeGreaterThan(PUSH_RETRIES_MS[3]! / 1_000 - 60);
    await world.flows.disableEndpoint(scope, endpointId);
    await world.passRetries();
    await world.push();
    expect(await world.flows.disableEndpoint(scope, endpointId)).toMatchObject({
      state: 'DISABLED',
      disabledReason: 'OPERATOR',
    });
    expect(world.receivedTexts()).toHaveLength(4);
    await world.flows.enableEndpoint(scope, endpointId);
    await world.push();
    expect(world.receivedTexts()).toHaveLength(5);
    expect((await world.retryDelays())[0]).toBeLessThan(10);
  });

  it('is noticed by a push that was claimed earlier, which does not count as an attempt', async () => {
    const { id: endpointId } = await world.endpoint();
    const { id } = await world.open();
    await world.agentSays(id, 'one');
    const get = world.stores.endpoints.get.bind(world.stores.endpoints);
    world.stores.endpoints.get = async (...which) => {
      world.stores.endpoints.get = get;
      await world.flows.disableEndpoint(scope, endpointId);
      return get(...which);
    };
    await world.push();
    expect([world.receiver.received, await world.sql('select state, attempts from delivery')]).toEqual([
      [],
      [{ state: 'WAITING', attempts: 0 }],
    ]);
    await world.flows.enableEndpoint(scope, endpointId);
    await world.push();
    expect(world.receivedTexts()).toEqual(['one']);
  });
});

describe('an endpoint that fails', () => {
  it('is disabled after days of failures only, and everything stays in the inbox', async () => {
    const { id: endpointId } = await world.endpoint();
    const { id } = await world.open();
    await world.receiver.stopListening();
    await world.agentSays(id, 'one');
    await world.push();
    expect(await world.endpointNow(endpointId)).toMatchObject({
      state: 'ACTIVE',
      firstFailureAt: '2026-11-22T12:00:00.000Z',
      lastFailureCode: 'ENDPOINT_UNREACHABLE',
      lastFailureStatus: null,
    });
    const since = world.time.ms;
    while ((await world.endpointNow(endpointId)).state === 'ACTIVE') {
      expect(world.time.ms - since).toBeLessThan(5 * DAY);
      await tryOn(1);
    }
    expect(world.time.ms - since).toBeGreaterThanOrEqual(5 * DAY);
    expect(await world.endpointNow(endpointId)).toMatchObject({
      state: 'DISABLED',
      disabledReason: 'FAILING',
      firstFailureAt: '2026-11-22T12:00:00.000Z',
    });
    expect(await eventsOf(id, 'RUNTIME_ENDPOINT_DISABLED')).toMatchObject([
      { reason: 'FAILING', code: 'ENDPOINT_UNREACHABLE' },
    ]);
    expect(await eventsOf(id, 'DELIVERY_PARKED')).toEqual([]);
    await world.agentSays(id, 'two');
    expect(await waiting(id)).toBe(2);

    await world.receiver.open();
    await world.flows.enableEndpoint(scope, endpointId);
    await world.push();
    expect([world.receivedTexts(), await waiting(id)]).toEqual([['one', 'two'], 0]);
  });

  it('is reset by one success', async () => {
    const { id: endpointId } = await world.endpoint();
    const { id } = await world.open();
    world.receiver.answer = () => 503;
    await world.agentSays(id, 'one');
    await world.push();
    world.time.ms += 4 * DAY;
    world.receiver.answer = () => 204;
    await world.passRetries();
    await world.push();
    expect((await world.endpointNow(endpointId)).firstFailureAt).toBeNull();
    world.time.ms += 2 * HOUR;
    world.receiver.answer = () => 503;
    await world.agentSays(id, 'two');
    await world.push();
    expect(await world.endpointNow(endpointId)).toMatchObject({
      state: 'ACTIVE',
      firstFailureAt: '2026-11-26T14:00:00.000Z',
      lastFailureStatus: 503,
    });
  });

  it('receives everything pending as soon as it accepts one delivery, and earlier attempts still count', async () => {
    await world.endpoint();
    const sessions = [await world.open(), await world.open(), await world.open()];
    await world.receiver.stopListening();
    for (const [n, { id }] of sessions.entries()) await world.agentSays(id, `one ${n}`, `two ${n}`);
    await world.push();
    await tryOn(3);
    await world.sql("update lane set next_run_at = now() + interval '5 hours' where destination = 'RUNTIME'");
    const { id } = await world.open();
    await world.receiver.open();
    await world.agentSays(id, 'new');
    await world.push();
    expect(world.receivedTexts()[0]).toBe('new');
    for (const n of sessions.keys())
      expect(world.receivedTexts().filter(text => text.endsWith(`${n}`))).toEqual([`one ${n}`, `two ${n}`]);
    expect(await world.sql('select attempts from delivery where attempts > 1 order by id')).toEqual(
      Array(3).fill({ attempts: 5 }),
    );
  });

  it('on one delivery only delays that one until its next attempt, and no others', async () => {
    await world.endpoint();
    const [one, other] = [await world.open(), await world.open()];
    world.receiver.answer = ({ body }) => (body.data.message.text === 'poison' ? 500 : 204);
    await world.agentSays(one.id, 'poison');
    await world.push();
    for (const text of ['two', 'three', 'four']) {
      await world.agentSays(other.id, text);
      await world.push();
    }
    expect(world.receivedTexts()).toEqual(['poison', 'two', 'three', 'four']);
    expect(await world.retryDelays()).toHaveLength(1);
  });

  it('starts a new period when nobody called it for days in between', async () => {
    const { id: endpointId } = await world.endpoint();
    const [one, other] = [await world.open(), await world.open()];
    world.receiver.answer = () => 400;
    await world.agentSays(one.id, 'one');
    await world.push();
    world.time.ms += 30 * DAY;
    await world.agentSays(other.id, 'two');
    await world.push();
    expect(await world.endpointNow(endpointId)).toMatchObject({
      state: 'ACTIVE',
      firstFailureAt: '2026-12-22T12:00:00.000Z',
    });
  });
});

describe('a delivery that the endpoint refuses', () => {
  it('goes through the whole retry table, becomes a dead letter with its reason, and the lane continues', async () => {
    await world.endpoint();
    const { id } = await world.open();
    world.receiver.answer = ({ body }) => (body.data.message.text === 'poison' ? 413 : 204);
    await world.agentSays(id, 'poison', 'two');
    await world.push();
    const waits: number[] = [];
    while ((await world.retryDelays()).length > 0) {
      waits.push(Math.round((await world.retryDelays())[0]!));
      await tryOn(1);
    }
    // Half of a tenth of jitter; about a second passes during the check.
    expect(waits).toHaveLength(9);
    waits.forEach((wait, i) => expect(Math.abs(wait - (PUSH_RETRIES_MS[i]! * 1.05) / 1_000)).toBeLessThan(30));
    expect(world.receivedTexts()).toEqual([...Array<string>(10).fill('poison'), 'two']);
    expect(await world.sql('select state, attempts, last_error_code as code from delivery order by id')).toEqual([
      { state: 'PARKED', attempts: 10, code: 'ENDPOINT_REFUSED' },
      { state: 'DONE', attempts: 1, code: null },
    ]);
    expect(await eventsOf(id, 'DELIVERY_PARKED')).toMatchObject([
      { type: 'DELIVERY_PARKED', kind: 'MESSAGE', code: 'ENDPOINT_REFUSED' },
    ]);
    expect(await world.stores.deliveries.countPending(ORG, id)).toMatchObject({
      runtime: 0,
      parked: 1,
      lastErrorCode: 'ENDPOINT_REFUSED',
    });
    // An observer without a delivery may still report it.
    const [{ id: parked }] = (await world.sql<{ id: string }>("select id from delivery where state = 'PARKED'")) as [
      { id: string },
    ];
    expect((await world.flows.acknowledge(scope, [parked])).acknowledged).toEqual([parked]);
  });

  it("stays on the operators' list of discarded deliveries, also when the runtime acknowledges it later", async () => {
    await world.endpoint();
    const { id } = await world.open();
    world.receiver.answer = () => 413;
    await world.agentSays(id, 'poison');
    await world.push();
    await tryOn(9);
    const [{ id: parked } = { id: '' }] = await world.sql<{ id: string }>(
      "select id from delivery where state = 'PARKED'",
    );
    await world.flows.discardDeadLetters(
      scope,
      { ids: [parked], filter: null, all: false, after: null },
      'too large',
      null,
    );
    const before = await world.sql('select state, done_at, discard_reason from delivery');
    world.time.ms += HOUR;
    expect(await world.flows.acknowledge(scope, [parked])).toEqual({ acknowledged: [parked], unknown: [] });
    expect(await world.sql('select state, done_at, discard_reason from delivery')).toEqual(before);
    expect(before).toMatchObject([{ state: 'DISCARDED', discard_reason: 'too large' }]);
  });

  it.each(['to the same endpoint', 'to the one that has taken its place'])(
    'is sent again %s after newer ones, where a reader by cursor finds it',
    async where => {
      const { id: endpointId } = await world.endpoint();
      const { id } = await world.open();
      world.receiver.answer = ({ body }) => (body.data.message.text === 'poison' ? 413 : 204);
      await world.agentSays(id, 'poison', 'two');
      await world.push();
      while ((await world.retryDelays()).length > 0) await tryOn(1);
      if (where !== 'to the same endpoint') {
        await world.flows.removeEndpoint(scope, endpointId);
        while (!(await world.stores.endpoints.rerouteLanes()));
        await world.endpoint();
        while (!(await world.stores.endpoints.rerouteLanes()));
      }
      const [{ last } = { last: '' }] = await world.sql<{ last: string }>(
        'select max(position)::text as last from delivery',
      );
      const before = world.receivedTexts().length;

      const [{ id: parked } = { id: '' }] = await world.sql<{ id: string }>(
        "select id from delivery where state = 'PARKED'",
      );
      await world.flows.resendDeadLetters(scope, { ids: [parked], filter: null, all: false, after: null }, null);
      const [node] = (
        await world.stores.deliveries.listRuntimeInbox(
          ORG,
          { chatbotId: null, sessionId: null },
          { first: 10, after: null },
        )
      ).edges.map(edge => edge.node);
      expect(node!.id).toBe(parked);
      expect(
        await world.sql('select position > $1::bigint as "isBehind" from delivery where id = $2', [last, parked]),
      ).toEqual([{ isBehind: true }]);
      world.receiver.answer = () => 204;
      await world.push();
      expect(world.receivedTexts().slice(before)).toEqual(['poison']);
      expect(await waiting(id)).toBe(0);
    },
  );

  it('is no dead letter while the whole endpoint is down', async () => {
    await world.endpoint();
    const { id } = await world.open();
    await world.receiver.stopListening();
    await world.agentSays(id, 'one');
    await world.push();
    await tryOn(10);
    expect(await world.sql('select state, attempts from delivery')).toEqual([{ state: 'WAITING', attempts: 11 }]);
    await world.receiver.open();
    await tryOn(1);
    expect(world.receivedTexts()).toEqual(['one']);
  });
});

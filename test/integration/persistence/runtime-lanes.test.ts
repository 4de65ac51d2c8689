import { randomUUID } from 'node:crypto';
import type { ClaimedLane } from '../../../src/core/ports/lane-store';
import type { SessionTransaction } from '../../../src/core/ports/session-transaction';
import type { Stores } from '../../../src/core/ports/stores';
import type { SigningEndpoint } from '../../../src/core/runtime-endpoint';
import { endpointForSql } from '../../../src/persistence/endpoints/reroute-lanes';
import { createStoreWorld, FOREIGN, gate, inboxOf, ORG, said, type StoreWorld } from './store-world';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
});
afterAll(() => world.end());
beforeEach(() =>
  world.sql(
    'truncate lane, delivery, handoff, message, event, agent_initiated_conversation, session, runtime_endpoint',
  ),
);

const AT = '2026-11-22T20:53:00.000Z';
const LEASE = 60_000;
const endpoints = (): Stores['endpoints'] => world.stores.endpoints;
const settled = async (): Promise<void> => {
  while (!(await endpoints().rerouteLanes()));
};

const endpointOf = (given: Partial<SigningEndpoint> = {}): SigningEndpoint => ({
  id: randomUUID(),
  organizationId: ORG,
  chatbotId: null,
  url: 'https://bot.example.com/hook',
  state: 'UNVERIFIED',
  disabledReason: null,
  disabledAt: null,
  firstFailureAt: null,
  lastFailureAt: null,
  lastFailureCode: null,
  lastFailureStatus: null,
  verifiedAt: null,
  previousSecretExpiresAt: null,
  createdAt: AT,
  secret: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
  previousSecrets: [],
  ...given,
});
async function enabled(given: Partial<SigningEndpoint> = {}): Promise<string> {
  const { id } = await endpoints().insert(endpointOf(given));
  await endpoints().activate(given.organizationId ?? ORG, id, AT);
  return id;
}

async function oweIn(tx: SessionTransaction, text: string): Promise<void> {
  await tx.enqueueForRuntime({
    kind: 'MESSAGE',
    messageId: (await tx.insertMessage(said({ text, author: 'AGENT' }))).id,
  });
}
const enqueue = (id: string, text: string, stores: Stores = world.stores) =>
  stores.sessions.transact(ORG, id, tx => oweIn(tx, text));

/** A transaction that has enqueued a delivery and waits for the test. */
async function heldOpen(id: string, text: string) {
  const wrote = gate();
  const mayEnd = gate();
  const done = world.stores.sessions.transact(ORG, id, async tx => {
    await oweIn(tx, text);
    await tx.findMessageByCallerId('all is sent');
    wrote.open();
    await mayEnd.opened;
  });
  await wrote.opened;
  return {
    commit: () => {
      mayEnd.open();
      return done;
    },
  };
}

const claim = async (stores: Stores = world.stores): Promise<readonly ClaimedLane<'RUNTIME'>[]> =>
  stores.lanes.claimDeliveries('RUNTIME', 10, LEASE);
const textOf = async ({ delivery: { work } }: ClaimedLane<'RUNTIME'>) =>
  (await world.stores.messages.get(ORG, (work as { messageId: string }).messageId))!.text;
async function pushed(): Promise<string[]> {
  const seen: string[] = [];
  for (let lanes = await claim(); lanes.length > 0; lanes = await claim())
    for (const lane of lanes) {
      seen.push(await textOf(lane));
      await world.stores.lanes.complete(lane);
    }
  return seen;
}

describe('a delivery to the runtime', () => {
  it('is in no lane without an endpoint, and in the lane of the right one otherwise', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one');
    expect(await world.sql('select from lane')).toEqual([]);
    const all = await enabled();
    await enqueue(id, 'two');
    expect(await world.sql('select session_id, destination, remote_id from lane')).toEqual([
      { session_id: id, destination: 'RUNTIME', remote_id: all },
    ]);
    const own = await enabled({ chatbotId: 'bot-1' });
    await enqueue(id, 'three');
    expect(await world.sql('select remote_id from lane')).toEqual([{ remote_id: own }]);
    await enabled({ organizationId: FOREIGN });
    await enqueue(id, 'four');
    expect((await claim()).map(({ remoteId }) => remoteId)).toEqual([own]);
  });

  it('comes in order, also when what was enqueued before the endpoint has no lane yet', async () => {
    const { id } = await world.open();
    const open = await heldOpen(id, 'one');
    await enabled();
    await open.commit();
    await enqueue(id, 'two');
    expect(await pushed()).toEqual(['one', 'two']);
  });

  it('stays due while its endpoint is disabled', async () => {
    const endpointId = await enabled();
    const { id } = await world.open();
    await enqueue(id, 'one');
    await endpoints().disable(ORG, endpointId, 'OPERATOR', AT);
    await enqueue(id, 'two');
    expect(await claim()).toEqual([]);
    await endpoints().activate(ORG, endpointId, AT);
    expect(await pushed()).toEqual(['one', 'two']);
  });

  it('that is given back is due at once and does not count as attempted', async () => {
    await enabled();
    const { id } = await world.open();
    await enqueue(id, 'one');
    const [lane] = await claim();
    expect(await world.stores.lanes.release(lane!, false)).toBe(true);
    expect(await world.stores.lanes.release(lane!, false)).toBe(false);
    expect((await claim()).map(({ delivery }) => delivery.previousAttempts)).toEqual([0]);
  });
});

describe('a change of endpoints', () => {
  const lanesDue = () => world.sql('select remote_id from lane where next_run_at <= now()');

  it('assigns a lane to what a transaction enqueues that started earlier and commits later', async () => {
    const [slow, other] = [await world.open(), await world.open()];
    await enqueue(other.id, 'theirs');
    const open = await heldOpen(slow.id, 'straggler');
    const endpointId = await enabled();
    // Visible deliveries are due already; the change stays open for those that are not.
    expect(await endpoints().rerouteLanes()).toBe(false);
    expect(await pushed()).toEqual(['theirs']);
    await open.commit();
    expect(await lanesDue()).toEqual([]);
    expect(await endpoints().rerouteLanes()).toBe(true);
    expect(await lanesDue()).toEqual([{ remote_id: endpointId }]);
    expect(await pushed()).toEqual(['straggler']);
  });

  it("moves to the organization's endpoint what is enqueued for one that is removed meanwhile", async () => {
    const { id } = await world.open();
    const all = await enabled();
    const own = await enabled({ chatbotId: 'bot-1' });
    await settled();
    const open = await heldOpen(id, 'straggler');
    expect(await endpoints().remove(ORG, own)).toBe(true);
    expect([await endpoints().rerouteLanes(), await endpoints().listByOrganization(ORG)]).toEqual([
      false,
      [expect.objectContaining({ id: all })],
    ]);
    await open.commit();
    expect(await claim()).toEqual([]);
    expect(await endpoints().rerouteLanes()).toBe(true);
    expect([await world.sql('select id from runtime_endpoint'), await lanesDue()]).toEqual([
      [{ id: all }],
      [{ remote_id: all }],
    ]);
    expect(await pushed()).toEqual(['straggler']);
  });

  it('does not wait for transactions that start after it', async () => {
    const { id } = await world.open();
    await enabled();
    await endpoints().rerouteLanes();
    await endpoints().activate(ORG, (await endpoints().listByOrganization(ORG))[0]!.id, AT);
    await world.sql("update runtime_endpoint set reroute_position = nextval('feed_position')");
    const open = await heldOpen(id, 'later');
    expect(await endpoints().rerouteLanes()).toBe(true);
    await open.commit();
    expect(await pushed()).toEqual(['later']);
  });

  it('handles any number of deliveries', async () => {
    const { id } = await world.open();
    await enqueue(id, 'one');
    await world.sql(`insert into session (id, organization_id, chatbot_id, inbox_id, account_id, channel, external_id, end_user, control, epoch, last_message_seq, last_event_seq, status_writes, opened_at)
      select gen_random_uuid(), organization_id, chatbot_id, inbox_id, account_id, channel, 'copy-' || n, end_user, control, epoch, last_message_seq, last_event_seq, status_writes, opened_at
      from session, generate_series(1, 1200) n`);
    await world.sql(
      `insert into delivery (session_id, organization_id, chatbot_id, destination, state, kind, payload, position, created_at)
      select s.id, $1, s.chatbot_id, 'RUNTIME', 'WAITING', 'MESSAGE', '{}', nextval('feed_position'), now() from session s where s.id <> $2`,
      [ORG, id],
    );
    await enabled();
    await settled();
    expect(await lanesDue()).toHaveLength(1_201);
  });

  it('leaves no delivery without a due lane to the right endpoint, whatever overlaps', async () => {
    const second = await world.stores.setup.insertInbox(
      inboxOf(world.account, { chatbotId: 'bot-2', externalId: 'i-2' }),
    );
    const ids = await Promise.all(
      Array.from({ length: 8 }, async (_, i) =>
        i % 2 === 0
          ? (await world.open()).id
          : (
              await world.stores.sessions.open({
                id: randomUUID(),
                organizationId: ORG,
                chatbotId: 'bot-2',
                inboxId: second.id,
                channel: 'web',
                externalId: randomUUID(),
                endUser: { externalId: null, name: null, email: null, phone: null, locale: null, attributes: {} },
                at: AT,
              })
            ).session.id,
      ),
    );
    const replicas = [world.stores, world.replica(), world.replica()];
    const expected = new Map(ids.map((id): [string, string[]] => [id, []]));
    const seen = new Map(ids.map((id): [string, string[]] => [id, []]));
    let isOver = false;
    const owing = ids.map(async (id, i) => {
      for (let n = 0; n < 25; n++) {
        await enqueue(id, `${n}`, replicas[(i + n) % 3]);
        expected.get(id)!.push(`${n}`);
      }
    });
    const changing = (async () => {
      for (let n = 0; !isOver; n++) {
        const own = await enabled({ chatbotId: n % 2 === 0 ? 'bot-1' : 'bot-2' });
        const all = n % 3 === 0 ? await enabled() : null;
        await endpoints().disable(ORG, own, 'OPERATOR', AT);
        await endpoints().activate(ORG, own, AT);
        await endpoints().remove(ORG, own);
        if (all !== null) await endpoints().remove(ORG, all);
      }
    })();
    const settling = replicas.slice(1).map(async stores => {
      while (!isOver) await stores.endpoints.rerouteLanes();
    });
    const pushing = (async () => {
      while (!isOver)
        for (const lane of await claim(replicas[2])) {
          // Other processes may have it by now: then it is offered again, and counts there.
          const text = await textOf(lane);
          if (await replicas[2]!.lanes.complete(lane)) seen.get(lane.sessionId)!.push(text);
        }
    })();
    await Promise.all(owing);
    isOver = true;
    await Promise.all([changing, pushing, ...settling]);
    await enabled();
    await settled();
    expect(
      await world.sql(`
      select d.id from delivery d cross join lateral (${endpointForSql('d.organization_id', 'd.chatbot_id')}) e
      left join lane l on l.session_id = d.session_id and l.destination = 'RUNTIME' and l.remote_id = e.id and l.next_run_at <= now() and l.tail >= d.id
      where d.state = 'WAITING' and l.session_id is null`),
    ).toEqual([]);
    for (let lanes = await claim(); lanes.length > 0; lanes = await claim())
      for (const lane of lanes) {
        seen.get(lane.sessionId)!.push(await textOf(lane));
        await world.stores.lanes.complete(lane);
      }
    expect(seen).toEqual(expected);
  });
});

describe('an endpoint secret', () => {
  it('is stored encrypted, and moves when it is rotated', async () => {
    const endpoint = endpointOf();
    await endpoints().insert(endpoint);
    expect(await endpoints().get(FOREIGN, endpoint.id)).toBeNull();
    expect(await endpoints().rotateSecret(FOREIGN, endpoint.id, 'whsec_bmV3', AT)).toBeNull();
    await endpoints().rotateSecret(ORG, endpoint.id, 'whsec_bmV3', AT);
    expect(await endpoints().get(ORG, endpoint.id)).toMatchObject({
      secret: 'whsec_bmV3',
      previousSecrets: [{ secret: endpoint.secret, expiresAt: AT }],
      previousSecretExpiresAt: AT,
    });
    const [row] = await world.sql('select * from runtime_endpoint');
    expect(JSON.stringify(row)).not.toMatch(/whsec/);
  });
});

describe('a claim from before an endpoint was removed', () => {
  it('is invalid in the lane to the next endpoint', async () => {
    const first = await enabled();
    await settled();
    const { id } = await world.open();
    for (const text of ['one', 'two']) await enqueue(id, text);
    const [old] = await claim();
    await endpoints().remove(ORG, first);
    await settled();
    await enabled();
    await settled();
    const [held] = await claim();
    expect(held!.delivery.id).toBe(old!.delivery.id);
    expect([await world.stores.lanes.renew(old!, LEASE), await world.stores.lanes.complete(old!)]).toEqual([
      false,
      false,
    ]);
    expect(await claim()).toEqual([]);
    expect(await world.stores.lanes.complete(held!)).toBe(true);
  });
});

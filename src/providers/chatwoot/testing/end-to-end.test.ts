import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';
import { MAX_SYNC_INTERVAL_MS } from '../../../core/flows/from-provider/scan-account';
import type { ChatwootVersion } from './double';

/*
 * Counts all calls for one action: the request, its transaction and deliveries, Chatwoot's webhooks about it, and the
 * syncs for them. At most three calls for a handoff of an existing session, and one for a message in each direction.
 */

const scope = { organizationId: ORG };
let world: ChatwootWorld;
afterEach(() => world.close());

/** Returns the calls of `act` and of everything that follows from it. */
const costOf = (act: () => Promise<unknown>) =>
  world.callsOf(async () => {
    await act();
    for (let isQuiet = false; !isQuiet; )
      isQuiet = (await world.deliverAll()).length === 0 && (await world.runDueSyncs()) === 0;
  });
const HANDOFF = [
  'POST /conversations/messages',
  'POST /conversations/assignments',
  'POST /conversations/toggle_status',
];
const READING = ['GET /conversations', 'GET /conversations/messages'];
const state = async (sessionId: string) => (await world.liveHandoff(sessionId))?.state;

describe.each<ChatwootVersion>(['3.16', '4.10', '4.14'])('on Chatwoot %s', version => {
  let alice: number;
  let team: string;
  beforeEach(async () => {
    world = await createChatwootWorld({ version });
    alice = await world.addPerson('Alice');
    team = String((await world.addTeam('orders', [alice])).id);
    await world.flows.refreshDirectory(scope, world.account.id);
  });
  const asked = async () => {
    const sessionId = await world.openMirroredSession();
    await world.runDueSyncs();
    await world.ask(sessionId, { reason: 'asked', target: { team, agent: null } });
    return sessionId;
  };

  it('a new conversation is not read: it is as this service created it', async () => {
    const { id } = await world.open();
    expect(await costOf(() => world.user(id, 'hello'))).toEqual([
      'POST /contacts',
      'POST /conversations',
      'POST /conversations/messages',
    ]);
  });

  it('a handoff takes three calls, and nothing is read for it', async () => {
    const sessionId = await world.openMirroredSession();
    await world.runDueSyncs();
    expect(await costOf(() => world.ask(sessionId, { reason: 'asked', target: { team, agent: null } }))).toEqual(
      HANDOFF,
    );
    expect(await state(sessionId)).toBe('QUEUED');
    expect(world.double.deliveries().filter(({ event }) => event.startsWith('conversation_')).length).toBeGreaterThan(
      3,
    );
    // Scans of the account find what no webhook reports (scan.test.ts); the handoff's own timer is rare.
    const {
      rows: [reading],
    } = await world.pool.query(
      "select is_timer, extract(epoch from next_run_at - now())::float8 as wait from lane where destination = 'SYNC'",
    );
    expect(reading.is_timer).toBe(true);
    expect(reading.wait).toBeGreaterThan(MAX_SYNC_INTERVAL_MS / 1_000 - 10);
    expect(reading.wait).toBeLessThanOrEqual(MAX_SYNC_INTERVAL_MS / 1_000);
  });

  it.each([
    // Returned to the bot: the conversation is read first, and what the handoff left on it (its team) is cleared.
    [
      'BOT_CANCELLED',
      [
        'GET /conversations',
        'POST /conversations/toggle_status',
        'GET /conversations/messages',
        'POST /conversations/assignments',
      ],
    ],
    [
      'OPERATOR_ENDED',
      [
        'GET /conversations',
        'POST /conversations/toggle_status',
        'GET /conversations/messages',
        'POST /conversations/assignments',
      ],
    ],
    ['USER_ENDED', ['POST /conversations/toggle_status', 'GET /conversations/messages']],
  ] as const)(
    'only the end (%s) costs a sync, the number of the newest message, and a sync after it',
    async (reason, returning) => {
      const sessionId = await asked();
      expect(await costOf(async () => {})).toEqual(HANDOFF);
      const end = async () => {
        await world.flows.endHandoff(scope, { sessionId, handoffId: null, reason, idempotencyKey: world.nextKey() });
        await world.runDueSyncs();
      };
      expect(await world.callsOf(end)).toEqual(['GET /conversations/messages']);
      expect(await state(sessionId)).toBeUndefined();
      // The newest message before the return is recorded first, so that a repeated return knows what came after it.
      expect(await costOf(async () => {})).toEqual(['GET /conversations/messages', ...returning, ...READING]);
      expect(await costOf(async () => {})).toEqual([]);
    },
  );

  it('a message takes one call each way, also the first of an agent', async () => {
    const sessionId = await asked();
    await world.deliverAll();
    await world.runDueSyncs();
    const acting = await world.acting(alice, sessionId);
    expect(await costOf(() => acting.reply('Here I am.'))).toEqual(['GET /conversations/messages']);
    expect(await state(sessionId)).toBe('ACTIVE');
    expect(await costOf(() => world.user(sessionId, 'Where is it?'))).toEqual(['POST /conversations/messages']);
    expect(await costOf(() => acting.reply('On its way.'))).toEqual(['GET /conversations/messages']);
    expect(await costOf(() => acting.note('He is waiting.'))).toEqual([]);
    expect(await world.collected(sessionId)).toEqual(
      expect.arrayContaining(['AGENT: Here I am.', 'AGENT: On its way.']),
    );
  });

  it("agents' changes are read at once: taken, returned, resolved", async () => {
    const sessionId = await asked();
    await world.deliverAll();
    await world.runDueSyncs();
    const acting = await world.acting(alice, sessionId);
    expect((await costOf(() => acting.assignSelf())).slice(0, 2)).toEqual(READING);
    expect(await state(sessionId)).toBe('ASSIGNED');
    expect((await costOf(() => acting.resolve())).slice(0, 2)).toEqual(READING);
    expect(await state(sessionId)).toBeUndefined();
  });

  it('an agent who takes it while it is being opened is not overlooked', async () => {
    const sessionId = await asked();
    const acting = await world.acting(alice, sessionId);
    const opening = world.provider.openForAgents.bind(world.provider);
    world.provider.openForAgents = async (request, signal) => {
      await opening(request, signal);
      await acting.assignSelf();
      await world.double.whenIdle();
    };
    await world.deliverAll();
    await world.runDueSyncs();
    expect(await state(sessionId)).toBe('ASSIGNED');
  });

  it('a requested agent is found to have it at once', async () => {
    const sessionId = await world.openMirroredSession();
    await world.runDueSyncs();
    await world.ask(sessionId, { target: { team: null, agent: String(alice) } });
    await world.deliverAll();
    await world.runDueSyncs();
    expect(await world.liveHandoff(sessionId)).toMatchObject({
      state: 'ASSIGNED',
      agent: { externalId: String(alice) },
    });
  });

  it('a change during a sync is read after it, though it shows what was known before', async () => {
    const sessionId = await asked();
    await world.deliverAll();
    await world.runDueSyncs();
    const acting = await world.acting(alice, sessionId);
    await acting.assignSelf();
    await world.double.whenIdle();
    const [sync] = await world.stores.lanes.claimSyncs('HINT', 1, 60_000);
    const reads = world.provider.listMessages.bind(world.provider);
    world.provider.listMessages = async (request, signal) => {
      world.provider.listMessages = reads;
      // The state was read already, so it lacks this change back to the previous state.
      await acting.assign({ agentId: null });
      await world.double.whenIdle();
      return reads(request, signal);
    };
    await world.read(sessionId);
    expect(await state(sessionId)).toBe('ASSIGNED');
    await world.stores.lanes.finishSync(sync!, null, false);
    await world.runDueSyncs();
    expect(await state(sessionId)).toBe('QUEUED');
  });

  it('without webhooks the state is read at once, and also after an interrupted attempt', async () => {
    const sessionId = await asked();
    world.double.failNext({ mode: 'applyThenCut', match: { method: 'POST', path: /toggle_status$/ } });
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    const acting = await world.acting(alice, sessionId);
    await acting.reply('Here I am.');
    await world.runDueSyncs();
    await acting.resolve();
    expect(await world.deliverAll()).toEqual([]);
    await world.runDueSyncs();
    expect(await state(sessionId)).toBe('ENDING');

    (world.deps as { publicUrl: string }).publicUrl = '';
    const other = await asked();
    expect(await costOf(async () => {})).toEqual(expect.arrayContaining(READING));
    expect(await state(other)).toBe('QUEUED');
  });

  it('every webhook lost: the timer finds all of it', async () => {
    const sessionId = await asked();
    await world.deliverAll();
    await world.double.whenIdle();
    world.double.dropWebhooks({});
    const acting = await world.acting(alice, sessionId);
    await acting.assignSelf();
    await acting.reply('Here I am.');
    await world.double.whenIdle();
    expect(await world.runDueSyncs()).toBe(0);
    await world.pool.query("update lane set next_run_at = now() where destination = 'SYNC'");
    await world.runDueSyncs();
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'ACTIVE', agent: { externalId: String(alice) } });
  });
});

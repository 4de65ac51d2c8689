import { deliver } from '../../../../core/flows/to-provider/deliver';
import { finishEndings } from '../../../../core/flows/handoff/finish-endings';
import { createChatwootWorld, ORG, type ChatwootWorld } from '../chatwoot-world';
import type { ChatwootVersion } from '../double';
import { createLease } from '../../../../testing/lease';

const scope = { organizationId: ORG };

type Ends = (world: ChatwootWorld, sessionId: string) => Promise<unknown>;
const end =
  (reason: 'BOT_CANCELLED' | 'USER_ENDED' | 'OPERATOR_ENDED'): Ends =>
  (world, sessionId) =>
    world.flows.endHandoff(scope, { sessionId, handoffId: null, reason, idempotencyKey: world.nextKey() });
const WAYS: readonly (readonly [string, Ends])[] = [
  ['BOT_CANCELLED', end('BOT_CANCELLED')],
  ['USER_ENDED', end('USER_ENDED')],
  ['OPERATOR_ENDED', end('OPERATOR_ENDED')],
  [
    'SESSION_CLOSED',
    (world, sessionId) => world.flows.closeSession(scope, { sessionId, idempotencyKey: world.nextKey() }),
  ],
  ['switched off', world => world.flows.disableChatbot(scope, 'bot-1')],
];

/** When the reply's webhook arrives, relative to the end. */
const WEBHOOKS = ['before the end is worked on', 'after it', 'never'] as const;

/** A file for each version, which run at the same time. */
export const describeEndingRaces = (version: ChatwootVersion): void =>
  describe(`an agent of Chatwoot ${version} who replies while the handoff ends`, () => {
    let world: ChatwootWorld;
    let alice: number;
    beforeEach(async () => {
      world = await createChatwootWorld({ version, policy: { lines: { queued: null } } });
      alice = await world.addPerson('Alice');
    });
    afterEach(() => world.close());

    const handoffs = async (sessionId: string) =>
      (
        await world.stores.handoffs.page(
          ORG,
          { chatbotIds: null, states: null, live: null, teamIds: null, sessionId },
          { first: 9, after: null },
        )
      ).edges.map(({ node }) => `${node.origin} ${node.state} ${node.endReason}`);
    /** Returns all deliveries to the runtime, in order: a message's text, else the kind. */
    async function deliveriesTo(sessionId: string): Promise<string[]> {
      const { rows } = await world.pool.query<{ kind: string; text: string | null }>(
        "select d.kind, m.text from delivery d left join message m on m.id::text = d.payload ->> 'messageId' where d.session_id = $1 and d.destination = 'RUNTIME' order by d.id",
        [sessionId],
      );
      return rows.map(({ kind, text }) => text ?? kind);
    }
    /** Runs syncs, deliveries and acknowledgements as the workers do, in a fixed order. */
    async function comesToRest(sessionId: string): Promise<void> {
      const isOff = (await world.stores.setup.findInbox(ORG, world.inbox.id))!.state === 'DISABLED';
      for (let round = 0; round < 3; round++) {
        if (!isOff) await world.runDueSyncs();
        expect(await world.deliverAll()).toEqual([]);
        await world.acknowledgeAll(sessionId);
      }
    }
    async function taken(): Promise<string> {
      const sessionId = await world.handedOver();
      await (await world.acting(alice, sessionId)).reply('hello');
      await world.runDueSyncs();
      await world.deliverAll();
      await world.acknowledgeAll(sessionId);
      return sessionId;
    }

    it.each(WAYS.flatMap(([reason, ends]) => WEBHOOKS.map(webhook => [reason, webhook, ends] as const)))(
      '(%s), with a webhook that comes %s, starts nothing and is received before the outcome',
      async (reason, webhook, ends) => {
        const sessionId = await taken();
        const acting = await world.acting(alice, sessionId);
        world.setDown(true);
        await acting.reply('one moment');
        if (webhook === 'before the end is worked on') world.setDown(false);
        if (webhook === 'before the end is worked on') await acting.reply('and one more');
        await world.double.whenIdle();
        await ends(world, sessionId);
        world.setDown(webhook === 'never');
        if (webhook === 'after it') {
          await world.runDueSyncs();
          await world.deliverAll();
          // Any change that makes Chatwoot send a webhook about this conversation.
          await acting.note('for colleagues');
        }
        await comesToRest(sessionId);
        world.setDown(false);
        const one = reason === 'switched off' ? 'OPERATOR_ENDED' : reason;
        expect(await handoffs(sessionId)).toEqual([`REQUESTED ENDED ${one}`]);
        const words = ['hello', 'one moment', ...(webhook === 'before the end is worked on' ? ['and one more'] : [])];
        expect((await deliveriesTo(sessionId)).filter(line => line !== 'HANDOFF_STATE')).toEqual([
          ...words,
          'HANDOFF_OUTCOME',
        ]);
        expect(await world.session(sessionId)).toMatchObject({ control: 'BOT', liveHandoffId: null });
        const { status, meta } = await world.conversation(sessionId);
        expect(status).toBe(
          reason === 'switched off'
            ? 'open'
            : reason === 'USER_ENDED' || reason === 'SESSION_CLOSED'
              ? 'resolved'
              : 'pending',
        );
        if (status === 'pending') expect(meta.assignee ?? null).toBeNull();
      },
    );

    it.each([true, false])(
      'and a new handoff is requested at once, is received before the outcome, and joins the new one by their next message (webhooks: %s)',
      async hasWebhooks => {
        const sessionId = await taken();
        const acting = await world.acting(alice, sessionId);
        world.setDown(!hasWebhooks);
        await acting.reply('one moment');
        await world.double.whenIdle();
        await end('BOT_CANCELLED')(world, sessionId);
        world.time.aheadMs += 1;
        await world.ask(sessionId);
        expect((await deliveriesTo(sessionId)).filter(line => line !== 'HANDOFF_STATE')).toEqual([
          'hello',
          'one moment',
          'HANDOFF_OUTCOME',
        ]);
        await comesToRest(sessionId);
        expect(await handoffs(sessionId)).toEqual(['REQUESTED QUEUED null', 'REQUESTED ENDED BOT_CANCELLED']);
        world.setDown(false);
        await acting.reply('here I am');
        await comesToRest(sessionId);
        expect((await handoffs(sessionId))[0]).toBe('REQUESTED ACTIVE null');
      },
    );

    it.each([true, false])(
      'and replies again after a return that its process could not record takes it over (a handoff was requested meanwhile: %s)',
      async isRequested => {
        const sessionId = await taken();
        await end('BOT_CANCELLED')(world, sessionId);
        await world.runDueSyncs();
        world.time.aheadMs += 1;
        if (isRequested) await world.ask(sessionId);
        const { definition, instance } = world.deps.providers.get('chatwoot')!;
        const returnToBot: typeof instance.returnToBot = async (...given) => {
          await instance.returnToBot(...given);
          throw new Error('The process dies here.');
        };
        const dying = {
          ...world.deps,
          providers: new Map([
            [
              'chatwoot',
              {
                definition,
                instance: new Proxy(instance, {
                  get: (of, name) => (name === 'returnToBot' ? returnToBot : Reflect.get(of, name)) as unknown,
                }),
              },
            ],
          ]),
        };
        const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
        await expect(deliver(dying, lane!.delivery, createLease())).rejects.toThrow('dies here');
        await world.pool.query("update lane set next_run_at = now() where destination = 'PROVIDER'");
        world.time.aheadMs += 1;
        await (await world.acting(alice, sessionId)).reply('are you still there?');
        await comesToRest(sessionId);
        expect((await handoffs(sessionId))[0]).toBe(
          isRequested ? 'REQUESTED ACTIVE null' : 'AGENT_TAKEOVER ACTIVE null',
        );
        expect((await world.session(sessionId)).control).toBe('HUMAN');
      },
    );

    it('and replies in the returned conversation takes it over, as before', async () => {
      const sessionId = await taken();
      await end('BOT_CANCELLED')(world, sessionId);
      await comesToRest(sessionId);
      expect((await world.conversation(sessionId)).status).toBe('pending');
      await (await world.acting(alice, sessionId)).reply('are you still there?');
      await comesToRest(sessionId);
      expect((await handoffs(sessionId))[0]).toBe('AGENT_TAKEOVER ACTIVE null');
      expect((await world.session(sessionId)).control).toBe('HUMAN');
      expect((await world.conversation(sessionId)).status).toBe('open');
    });

    it('and is read only after an outage of Chatwoot belongs to the handoff that ended', async () => {
      const sessionId = await taken();
      world.setDown(true);
      await (await world.acting(alice, sessionId)).reply('one moment');
      await world.double.whenIdle();
      await end('USER_ENDED')(world, sessionId);
      // Nothing was read or written within the limit.
      world.time.aheadMs += 5_001;
      await finishEndings(world.deps, 10, (_, error) => {
        throw error;
      });
      expect(await handoffs(sessionId)).toEqual(['REQUESTED ENDED USER_ENDED']);
      world.setDown(false);
      await comesToRest(sessionId);
      expect(await handoffs(sessionId)).toEqual(['REQUESTED ENDED USER_ENDED']);
      expect((await deliveriesTo(sessionId)).slice(-2)).toEqual(['HANDOFF_OUTCOME', 'one moment']);
      expect((await world.session(sessionId)).control).toBe('BOT');
      expect((await world.conversation(sessionId)).status).toBe('resolved');
    });
  });

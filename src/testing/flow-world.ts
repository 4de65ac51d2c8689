import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createFlows } from '../core/flows';
import { ProviderRefusedError } from '../core/errors';
import { deliver, handleRefusedDelivery } from '../core/flows/to-provider/deliver';
import type { FlowDeps } from '../core/flows/deps';
import { finishEndings } from '../core/flows/handoff/finish-endings';
import { syncConversation } from '../core/flows/from-provider/sync-conversation';
import type { Flows } from '../core/flows/api';
import type { SessionRecord } from '../core/session';
import type { DeepPartial } from '../core/flows/api/setup';
import type { SupportPolicy } from '../core/setup';
import { outcomeAfter } from '../delivery/retry-policy';
import { createStores, SecretBox } from '../persistence';
import { ScriptedProvider, scriptedDefinition } from './scripted-provider';
import { createLease } from './lease';
import { pushWhenCalled } from './push-when-called';
import { openTestPool } from './test-pool';

export const ORG = 'org-1';
export const scope = { organizationId: ORG };

/** Creates flows over a real Postgres and a scripted provider. The test controls time and workers. */
export async function createFlowWorld(policy: DeepPartial<SupportPolicy> = {}) {
  const { pool, close } = await openTestPool();
  const time = { ms: Date.parse('2026-11-22T12:00:00Z') };
  const clock = {
    now: () => time.ms,
    newId: randomUUID,
    random: () => 0.5,
    newSecret: () => randomBytes(32).toString('base64url'),
  };
  const stores = createStores(pool, {
    secretBox: new SecretBox(randomBytes(32)),
    clock,
    wake: { committed: () => undefined },
  });
  const provider = new ScriptedProvider();
  const deps: FlowDeps = {
    stores,
    clock,
    publicUrl: 'http://127.0.0.1:1',
    limits: {
      drainMs: 30_000,
      endSyncMs: 5_000,
      liveScanIntervalMs: 20_000,
      callMs: 5_000,
      uploadMs: 30_000,
      setupMs: 5_000,
      targetLookupMs: 1_000,
      checkMs: 900_000,
      pushMs: 5_000,
      disableEndpointMs: 5 * 86_400_000,
    },
    // Receivers compare the signature's time with their own clock, which no test holds.
    push: pushWhenCalled(),
    fileUrl: (message, index) => `http://127.0.0.1:1/files/${message.id}-${index}`,
    providers: new Map([['scripted', { definition: scriptedDefinition(provider), instance: provider }]]),
    digest: text => createHash('sha256').update(text).digest('hex'),
  };
  const flows: Flows = createFlows(deps);
  await flows.enableSupport(scope, {
    provider: 'scripted',
    name: 'One',
    baseUrl: null,
    settings: {},
    credentials: {},
    owners: [],
  });
  await flows.enableChatbot(scope, { chatbotId: 'bot-1', name: 'Bot one', accountId: null, policy });

  let key = 0;
  const world = {
    deps,
    flows,
    stores,
    provider,
    time,
    pool,
    nextKey: () => `key-${++key}`,
    async open(externalId: string = randomUUID()): Promise<SessionRecord> {
      return (
        await flows.openSession(scope, { chatbotId: 'bot-1', channel: 'web', externalId, endUser: { name: 'Jane' } })
      ).session;
    },
    user: (sessionId: string, text: string) =>
      flows.recordEndUserMessage(scope, {
        sessionId,
        text,
        attachments: [],
        messageId: null,
        idempotencyKey: world.nextKey(),
      }),
    async bot(sessionId: string, text: string, epoch?: number, onControlLost: 'REJECT' | 'SUGGEST' = 'REJECT') {
      const believed = epoch ?? (await world.session(sessionId)).epoch;
      return flows.sendBotMessage(scope, {
        sessionId,
        epoch: believed,
        text,
        attachments: [],
        messageId: null,
        onControlLost,
        idempotencyKey: world.nextKey(),
      });
    },
    ask: (sessionId: string, more: Partial<Parameters<Flows['requestHandoff']>[1]> = {}) =>
      flows.requestHandoff(scope, {
        sessionId,
        target: { team: null, agent: null },
        reason: null,
        summary: null,
        intent: null,
        fields: {},
        priority: null,
        resumeTarget: null,
        epoch: null,
        idempotencyKey: world.nextKey(),
        ...more,
      }),
    async session(id: string): Promise<SessionRecord> {
      return (await stores.sessions.get(ORG, id))!;
    },
    async handoff(id: string) {
      return (await stores.handoffs.get(ORG, id))!;
    },
    /**
     * Delivers pending work until nothing is due or something fails; a failure stays at the head, due at once. Refused
     * optional deliveries are parked as the worker does.
     */
    async deliverAll(): Promise<string[]> {
      const errors: string[] = [];
      for (;;) {
        const [lane] = await stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
        if (!lane) return errors;
        try {
          await deliver(deps, lane.delivery, createLease());
          await stores.lanes.complete(lane);
        } catch (error) {
          const { work } = lane.delivery;
          if ('optional' in work && work.optional && error instanceof ProviderRefusedError && !error.gone) {
            await handleRefusedDelivery(deps, lane.delivery, error.code, error);
            await stores.lanes.park(lane, error.code, outcomeAfter(error));
            continue;
          }
          errors.push((error as { code?: string }).code ?? String(error));
          await stores.lanes.retry(lane, 0, errors.at(-1)!, true, outcomeAfter(error));
          if (errors.length >= 20) return errors;
        }
      }
    },
    read: (sessionId: string) => syncConversation(deps, ORG, sessionId),
    async inbox(sessionId: string) {
      const page = await stores.deliveries.listRuntimeInbox(
        ORG,
        { chatbotId: null, sessionId },
        { first: 100, after: null },
      );
      return page.edges.map(edge => edge.node);
    },
    /** Returns the runtime's pending deliveries in a short form. */
    async collected(sessionId: string): Promise<string[]> {
      const words: string[] = [];
      for (const { notice } of await world.inbox(sessionId)) {
        if (notice.kind === 'MESSAGE') {
          const message = (await stores.messages.get(ORG, notice.messageId))!;
          words.push(`${message.author}: ${message.text}`);
        } else if (notice.kind === 'HANDOFF_STATE') words.push(notice.state);
        else if (notice.kind !== 'HANDOFF_OUTCOME') words.push(notice.kind);
        else {
          const handoff = await world.handoff(notice.handoffId);
          words.push(`OUTCOME ${handoff.state} ${handoff.endReason ?? handoff.failureCode}`);
        }
      }
      return words;
    },
    async acknowledgeAll(sessionId: string) {
      return flows.acknowledge(
        scope,
        (await world.inbox(sessionId)).map(delivery => delivery.id),
      );
    },
    finishEndings: () =>
      finishEndings(deps, 100, (_, error) => {
        throw error;
      }),
    async events(sessionId: string) {
      return stores.events.listBySession(ORG, sessionId, 0, 1_000);
    },
    close,
  };
  return world;
}
export type FlowWorld = Awaited<ReturnType<typeof createFlowWorld>>;

export async function codeOf(act: Promise<unknown>): Promise<string | undefined> {
  try {
    await act;
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

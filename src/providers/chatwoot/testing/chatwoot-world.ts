import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFlows } from '../../../core/flows';
import type { DeepPartial } from '../../../core/flows/api/setup';
import type { Flows } from '../../../core/flows/api';
import { handleLostConversation } from '../../../core/flows/handoff/conversation-lost';
import { deliver, handleRefusedDelivery } from '../../../core/flows/to-provider/deliver';
import { accessOf, inboxAccessOf, type FlowDeps } from '../../../core/flows/deps';
import { FetchingFileArchive } from '../../../core/flows/archive-file';
import { syncConversation } from '../../../core/flows/from-provider/sync-conversation';
import type { MediaStore } from '../../../core/ports/media-store';
import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { Person } from '../../../core/ports/provider/setup-verbs';
import type { AgentTyping } from '../../../core/ports/typing';
import type { SessionRecord } from '../../../core/session';
import type { SupportPolicy } from '../../../core/setup';
import { FolderMediaStore } from '../../../media/folder-store';
import { openRemoteFile } from '../../../media/remote-file';
import { TypingRelay } from '../../../delivery';
import { outcomeAfter, attemptHistoryOf, verdictFor } from '../../../delivery/retry-policy';
import { createStores, SecretBox } from '../../../persistence';
import { chatwoot } from '..';
import { startChatwootDouble, type ChatwootDouble, type ChatwootDoubleOptions } from './double';
import { ChatwootApi } from './remote';
import { createWebhookReceiver } from '../../../webhooks/receive-webhook';
import { TIME_LIMITS } from '../../../time-limits';
import { createLease } from '../../../testing/lease';
import { pushWhenCalled } from '../../../testing/push-when-called';
import { openTestPool } from '../../../testing/test-pool';

export const ORG = 'org-1';
const scope = { organizationId: ORG };

export interface ChatwootWorldOptions extends ChatwootDoubleOptions {
  readonly policy?: DeepPartial<SupportPolicy>;
  readonly limits?: Partial<FlowDeps['limits']>;
  /** Replaces the fetch between this service and Chatwoot. */
  readonly fetch?: typeof fetch;
  readonly owners?: readonly Person[];
  /** Called while that Chatwoot is still empty. */
  beforeSetUp?(double: ChatwootDouble): void;
}

/**
 * Creates the whole service except the timers, over a real Postgres and the Chatwoot double, with webhooks on a real
 * socket.
 */
export async function createChatwootWorld({
  policy = {},
  limits = {},
  fetch: through,
  owners = [{ name: 'Ada Owner', email: 'ada@owners.example' }],
  beforeSetUp,
  ...options
}: ChatwootWorldOptions = {}) {
  const { pool, close } = await openTestPool();
  const time = { aheadMs: 0 };
  const double = await startChatwootDouble({
    activityDelayMs: 0,
    clock: () => new Date(Date.now() + time.aheadMs),
    ...options,
  });
  beforeSetUp?.(double);
  const remote = new ChatwootApi(double.baseUrl, double.platformToken);
  const clock = {
    now: () => Date.now() + time.aheadMs,
    newId: randomUUID,
    random: () => 0.5,
    newSecret: () => randomBytes(32).toString('base64url'),
  };
  const stores = createStores(pool, {
    secretBox: new SecretBox(randomBytes(32)),
    clock,
    wake: { committed: () => undefined },
  });
  const logged: string[] = [];
  const log = (level: string, message: string, fields?: object) => {
    logged.push(JSON.stringify({ level, message, ...fields }));
  };
  const create = () =>
    chatwoot.create({
      hint: () => undefined,
      fetch: through ?? remote.fetch,
      replicas: () => 1,
      now: clock.now,
      log,
      database: {
        query: () => Promise.reject(new Error('not used')),
        transaction: () => Promise.reject(new Error('not used')),
      },
    });
  let instance = create();
  const known = {
    definition: chatwoot,
    get instance() {
      return instance;
    },
  };

  let down = false;
  const server = createServer((request, response) => {
    if (down) return void request.destroy();
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on(
        'end',
        () =>
          void receive({
            method: request.method!,
            path: request.url!,
            plainHeaders: request.headers as Record<string, string>,
            readBody: async () => Buffer.concat(chunks),
          }).then(({ status }) => response.writeHead(status).end()),
      );
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));

  const mediaFolder = mkdtempSync(path.join(tmpdir(), 'media-'));
  const deps: { -readonly [K in keyof FlowDeps]: FlowDeps[K] } = {
    stores,
    clock,
    typing: new TypingRelay(3_000),
    publicUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    limits: {
      drainMs: 30_000,
      endSyncMs: 5_000,
      liveScanIntervalMs: 20_000,
      callMs: 10_000,
      uploadMs: 30_000,
      setupMs: 20_000,
      targetLookupMs: 5_000,
      checkMs: 60_000,
      pushMs: 5_000,
      disableEndpointMs: 5 * 86_400_000,
      ...limits,
    },
    push: pushWhenCalled(),
    fileUrl: (message, index) => `http://127.0.0.1:1/files/${message.id}-${index}`,
    providers: new Map([['chatwoot', known]]),
    digest: text => createHash('sha256').update(text).digest('hex'),
  };
  const media = new FolderMediaStore(mediaFolder);
  /** Creates an archive as another process has it. */
  const newArchive = ({
    store = media,
    retentionMs = null,
  }: {
    store?: MediaStore;
    retentionMs?: number | null;
  } = {}) =>
    new FetchingFileArchive(deps, {
      media: store,
      retentionMs,
      limits: {
        fromAgents: { maxBytes: 1_000_000, refusedTypes: ['.exe'] },
        toAgents: { maxBytes: 500_000, refusedTypes: [] },
        ...TIME_LIMITS.file,
      },
      openLink: (url, signal) => openRemoteFile(fetch, url, signal),
    });
  deps.files = newArchive();
  const typed: AgentTyping[] = [];
  const receive = createWebhookReceiver({
    typing: {
      stores,
      clock,
      board: {
        agentTyping: typing => {
          typed.push(typing);
        },
      },
    },
    stores,
    clock,
    log,
    bodyLimitBytes: 5_000_000,
    providerOf: () => instance,
    accessOf: account => accessOf(deps, account),
  });
  const flows: Flows = createFlows(deps);

  const enabled = await flows.enableSupport(scope, {
    provider: 'chatwoot',
    name: 'Acme',
    baseUrl: double.baseUrl,
    settings: {},
    credentials: { platformToken: double.platformToken },
    owners: [...owners],
  });
  if (enabled.account.state !== 'READY') throw new Error(JSON.stringify(enabled.account.problem));
  const enableBot = async () =>
    (await flows.enableChatbot(scope, { chatbotId: 'bot-1', name: 'Shop bot', accountId: null, policy })).inbox;
  let inbox = await enableBot();
  if (inbox.state !== 'READY') throw new Error(JSON.stringify(inbox.problem));
  const accountPath = `/api/v1/accounts/${enabled.account.externalId}`;
  const admin = (await remote.administratorOf(enabled.account.externalId!))!;

  let keys = 0;
  const world = {
    double,
    farSide: remote,
    stores,
    flows,
    deps,
    pool,
    time,
    media,
    mediaFolder,
    newKeeper: newArchive,
    logged,
    admin,
    accountPath,
    account: enabled.account,
    /** Typing of agents that has reached this service. */
    typed,
    get inbox() {
      return inbox;
    },
    get provider() {
      return instance;
    },
    nextKey: () => `key-${++keys}`,
    /** Acts as if the process had died and restarted. */
    restart() {
      instance = create();
    },
    /** Makes our address unreachable. */
    setDown(isDown: boolean) {
      down = isDown;
    },
    async enableAgain() {
      inbox = await enableBot();
      return inbox;
    },

    // ---- agents at Chatwoot
    async addPerson(name: string, role: 'agent' | 'administrator' = 'agent', isMember = true): Promise<number> {
      const { id } = await remote.platform('POST', '/users', {
        name,
        email: `${name.toLowerCase()}@people.example`,
        password: 'Passw0rd!x',
      });
      await remote.platform('POST', `/accounts/${enabled.account.externalId}/account_users`, { user_id: id, role });
      if (isMember)
        await remote.call('POST', `${accountPath}/inbox_members`, admin, {
          inbox_id: Number(inbox.externalId),
          user_ids: [id],
        });
      return id;
    },
    async addTeam(name: string, members: readonly number[] = []): Promise<{ id: number; name: string }> {
      const team = await remote.call('POST', `${accountPath}/teams`, admin, { team: { name } });
      if (members.length > 0)
        await remote.call('POST', `${accountPath}/teams/${team.id}/team_members`, admin, { user_ids: members });
      return team;
    },
    setRole: (userId: unknown, role: 'agent' | 'administrator') =>
      remote.platform('POST', `/accounts/${enabled.account.externalId}/account_users`, { user_id: userId, role }),
    async acting(userId: number, sessionId: string) {
      return double.agent(userId, {
        accountId: Number(enabled.account.externalId),
        conversationId: Number((await world.session(sessionId)).conversationId),
      });
    },
    async conversation(sessionId: string): Promise<any> {
      return remote.get(`${accountPath}/conversations/${(await world.session(sessionId)).conversationId}`, admin);
    },
    async act(sessionId: string, method: string, path: string, body?: object, token = admin): Promise<any> {
      return remote.call(
        method,
        `${accountPath}/conversations/${(await world.session(sessionId)).conversationId}${path}`,
        token,
        body,
      );
    },
    async messages(sessionId: string): Promise<any[]> {
      const { conversationId } = await world.session(sessionId);
      const rows = new Map<number, any>();
      for (let after = 0; ; ) {
        const { payload } = await remote.get(
          `${accountPath}/conversations/${conversationId}/messages?after=${after}`,
          admin,
        );
        for (const row of payload) rows.set(row.id, row);
        if (payload.length < 100) break;
        after = Math.max(...rows.keys());
      }
      return [...rows.values()].filter(row => row.message_type !== 2).sort((a, b) => a.id - b.id);
    },
    async access(sessionId: string): Promise<ConversationAccess> {
      const session = await world.session(sessionId);
      const account = (await stores.setup.findAccount(ORG, enabled.account.id))!;
      return {
        inbox: inboxAccessOf(deps, account, (await stores.setup.findInbox(ORG, inbox.id))!)!,
        contactId: session.contactId!,
        conversationId: session.conversationId!,
        sessionId,
      };
    },

    // ---- the runtime
    async open(externalId: string = randomUUID()): Promise<SessionRecord> {
      return (
        await flows.openSession(scope, { chatbotId: 'bot-1', channel: 'web', externalId, endUser: { name: 'Eve' } })
      ).session;
    },
    user: (sessionId: string, text: string, more: object = {}) =>
      flows.recordEndUserMessage(scope, {
        sessionId,
        text,
        attachments: [],
        messageId: null,
        idempotencyKey: world.nextKey(),
        ...more,
      }),
    async bot(sessionId: string, text: string, more: object = {}) {
      const { epoch } = await world.session(sessionId);
      return flows.sendBotMessage(scope, {
        sessionId,
        epoch,
        text,
        attachments: [],
        messageId: null,
        onControlLost: 'REJECT',
        idempotencyKey: world.nextKey(),
        ...more,
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
    async liveHandoff(sessionId: string) {
      const { liveHandoffId } = await world.session(sessionId);
      return liveHandoffId === null ? null : world.handoff(liveHandoffId);
    },
    async inboxOf(sessionId: string) {
      return (
        await stores.deliveries.listRuntimeInbox(ORG, { chatbotId: null, sessionId }, { first: 100, after: null })
      ).edges.map(({ node }) => node);
    },
    async collected(sessionId: string): Promise<string[]> {
      return Promise.all(
        (await world.inboxOf(sessionId)).map(async ({ notice }) => {
          switch (notice.kind) {
            case 'MESSAGE': {
              const said = (await stores.messages.get(ORG, notice.messageId))!;
              return `${said.author}: ${said.text}`;
            }
            case 'HANDOFF_STATE':
              return notice.state;
            case 'HANDOFF_OUTCOME': {
              const { state, endReason } = await world.handoff(notice.handoffId);
              return `OUTCOME ${state} ${endReason}`;
            }
            default:
              return notice.kind;
          }
        }),
      );
    },
    async acknowledgeAll(sessionId: string) {
      await flows.acknowledge(
        scope,
        (await world.inboxOf(sessionId)).map(({ id }) => id),
      );
    },

    // ---- the worker, run by hand
    /**
     * Delivers until nothing is due. Returns failures and leaves the failed deliveries; refused ones are parked as the
     * worker does.
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
          const code = (error as { code?: string }).code ?? String(error);
          const { work } = lane.delivery;
          // An optional delivery is parked by itself, and is no failure.
          if (!('optional' in work && work.optional && code === 'PROVIDER_REFUSED')) errors.push(code);
          if (code === 'PROVIDER_REFUSED' && (error as { gone?: boolean }).gone) {
            await handleLostConversation(deps, lane.organizationId, lane.sessionId, null);
            await stores.lanes.retry(lane, 0, code, true, outcomeAfter(error));
          } else if (code === 'PROVIDER_REFUSED' || code === 'OUTCOME_UNKNOWN') {
            await handleRefusedDelivery(deps, lane.delivery, code, error);
            await stores.lanes.park(lane, code, outcomeAfter(error));
          } else {
            await stores.lanes.retry(lane, 0, code, true, outcomeAfter(error));
            return errors;
          }
          if (errors.length > 20) return errors;
        }
      }
    },
    /**
     * Delivers as the worker does, but without waiting: a delivery to be retried is postponed for an hour. Returns the
     * verdicts on the failures.
     */
    async applyAllVerdicts(): Promise<string[]> {
      const verdicts: string[] = [];
      for (;;) {
        const [lane] = await stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
        if (!lane) return verdicts;
        try {
          await deliver(deps, lane.delivery, createLease());
          await stores.lanes.complete(lane);
        } catch (error) {
          const verdict = verdictFor(error, attemptHistoryOf(deps, lane.delivery));
          verdicts.push(verdict.kind === 'retry' ? `retry ${verdict.code}` : verdict.kind);
          if (verdict.kind === 'recreate')
            await handleLostConversation(deps, lane.organizationId, lane.sessionId, null);
          if (verdict.kind === 'park') {
            await handleRefusedDelivery(deps, lane.delivery, verdict.code, error);
            await stores.lanes.park(lane, verdict.code, outcomeAfter(error));
          } else
            await stores.lanes.retry(
              lane,
              verdict.kind === 'retry' ? 3_600_000 : 0,
              verdict.code,
              true,
              outcomeAfter(error),
            );
        }
      }
    },
    read: (sessionId: string) => syncConversation(deps, ORG, sessionId),
    /** Runs the syncs that hints and due timers request. Returns the number of sessions. */
    async runDueSyncs(): Promise<number> {
      await double.whenIdle();
      for (let count = 0; ; count++) {
        const [hinted] = await stores.lanes.claimSyncs('HINT', 1, 60_000);
        const sync = hinted ?? (await stores.lanes.claimSyncs('TIMER', 1, 60_000))[0];
        if (!sync) return count;
        await syncConversation(deps, sync.organizationId, sync.sessionId, hinted ? 'HINT' : 'TIMER');
        await stores.lanes.finishSync(sync, null, false);
      }
    },
    /** Opens a mirrored session with one message, or the given ones. */
    async openMirroredSession(...texts: string[]): Promise<string> {
      const { id } = await world.open();
      for (const text of texts.length > 0 ? texts : ['hello']) await world.user(id, text);
      const errors = await world.deliverAll();
      if (errors.length > 0) throw new Error(errors.join());
      return id;
    },
    /** Opens a session that is handed over to agents. */
    async handedOver(more: Partial<Parameters<Flows['requestHandoff']>[1]> = {}): Promise<string> {
      const id = await world.openMirroredSession();
      await world.ask(id, more);
      const errors = await world.deliverAll();
      if (errors.length > 0) throw new Error(errors.join());
      return id;
    },
    /** Returns the calls to Chatwoot during `act`, without numbers. */
    async callsOf(act: () => Promise<unknown>): Promise<string[]> {
      double.clearRequests();
      await act();
      return double
        .requests()
        .map(
          ({ method, path }) =>
            `${method} ${path.replace(/^\/api\/v1\/accounts\/\d+|^\/platform\/api\/v1/, '').replace(/\/\d+(?=[/?]|$)/g, '')}`,
        );
    },
    async close() {
      await double.stop();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      await close();
      rmSync(mediaFolder, { recursive: true, force: true });
    },
  };
  return world;
}
export type ChatwootWorld = Awaited<ReturnType<typeof createChatwootWorld>>;

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { createFlows } from '../../src/core/flows';
import type { Flows } from '../../src/core/flows/api';
import type { FlowDeps } from '../../src/core/flows/deps';
import type { RuntimePush } from '../../src/core/ports/runtime-push';
import type { Stores } from '../../src/core/ports/stores';
import type { ProviderDefinition } from '../../src/core/ports/provider/definition';
import type { SupportProvider } from '../../src/core/ports/provider/support-provider';
import { createPool, createStores, SecretBox } from '../../src/persistence';
import { migrate } from '../../src/persistence/migrate';

const CAPABILITIES = {
  teams: true,
  priorities: true,
  privateNotes: true,
  attachments: true,
  typing: false,
  createsAccounts: true,
  managesAgents: false,
  inboxMembers: false,
  managesTeams: false,
  loginLinks: false,
  inspectsDrift: false,
  maxTextLength: 64_000,
};

/** Returns a provider that responds at once, except for accounts for which `hangs` returns a promise. */
export function idleProvider(hangs: (accountId: string) => Promise<void> | null = () => null) {
  const posted: string[] = [];
  const provider: Partial<SupportProvider> = {
    readCapabilities: async () => CAPABILITIES,
    ensureAccount: async () => ({
      externalId: 'account',
      capabilities: CAPABILITIES,
      settings: {},
      credentials: {},
      manualSteps: [],
    }),
    ensureInbox: async () => ({ externalId: 'inbox', providerData: {} }),
    listTeams: async () => [],
    listAgents: async () => [],
    ensureContact: async (inbox, sessionId) => {
      await hangs(inbox.account.accountId);
      return `contact-${sessionId}`;
    },
    openConversation: async ({ sessionId }) => `conversation-${sessionId}`,
    postMessage: async ({ message }) => {
      posted.push(message.id);
      return `post-${message.id}`;
    },
  };
  const definition: ProviderDefinition = {
    name: 'idle',
    title: 'For measuring',
    parseSettings: () => ({ problems: [] }),
    create: () => provider as SupportProvider,
  };
  return { instance: provider as SupportProvider, definition, posted };
}

const NOTHING_IS_PUSHED: RuntimePush = {
  post: async () => {
    throw new Error('This measurement has no runtime endpoint, so nothing may be pushed.');
  },
  addressProblem: async () => null,
};

export interface BenchEnvironment {
  readonly pool: Pool;
  readonly stores: Stores;
  readonly deps: FlowDeps;
  readonly flows: Flows;
  /** Enables an organization of this name with one chatbot. */
  enable(
    organizationId: string,
  ): Promise<{ readonly accountId: string; readonly inboxId: string; readonly chatbotId: string }>;
  open(organizationId: string, chatbotId: string, count: number): Promise<readonly string[]>;
  end(): Promise<void>;
}

/** Creates flows over the real stores, without a worker and a server. */
export async function openEnvironment(
  databaseUrl: string,
  connections: number,
  provider = idleProvider(),
  push: RuntimePush = NOTHING_IS_PUSHED,
): Promise<BenchEnvironment> {
  await migrate(databaseUrl);
  const pool = createPool(databaseUrl, { max: connections });
  const clock = {
    now: () => Date.now(),
    newId: randomUUID,
    random: Math.random,
    newSecret: () => randomBytes(32).toString('base64url'),
  };
  const stores = createStores(pool, {
    secretBox: new SecretBox(randomBytes(32)),
    clock,
    wake: { committed: () => undefined },
    claimer: 'dead',
  });
  const deps: FlowDeps = {
    stores,
    clock,
    publicUrl: '',
    providers: new Map([['idle', provider]]),
    limits: {
      drainMs: 30_000,
      endSyncMs: 5_000,
      liveScanIntervalMs: 20_000,
      callMs: 60_000,
      uploadMs: 60_000,
      setupMs: 60_000,
      targetLookupMs: 1_000,
      checkMs: 900_000,
      pushMs: 15_000,
      disableEndpointMs: 432_000_000,
    },
    push,
    fileUrl: (_message, _index, name) => name,
    digest: text => createHash('sha256').update(text).digest('base64url'),
  };
  const flows = createFlows(deps);
  return {
    pool,
    stores,
    deps,
    flows,
    async enable(organizationId) {
      const chatbotId = `bot-of-${organizationId}`;
      const { account } = await flows.enableSupport(
        { organizationId },
        { provider: 'idle', name: organizationId, baseUrl: null, settings: {}, credentials: {}, owners: [] },
      );
      const { inbox } = await flows.enableChatbot(
        { organizationId },
        { chatbotId, name: chatbotId, accountId: null, policy: {} },
      );
      return { accountId: account.id, inboxId: inbox.id, chatbotId };
    },
    async open(organizationId, chatbotId, count) {
      const ids: string[] = [];
      for (let i = 0; i < count; i++)
        ids.push(
          (
            await flows.openSession(
              { organizationId },
              { chatbotId, channel: 'bench', externalId: randomUUID(), endUser: {} },
            )
          ).session.id,
        );
      return ids;
    },
    end: () => pool.end(),
  };
}

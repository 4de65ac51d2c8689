import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { HandoffRecord } from '../../../src/core/handoff';
import type { NewMessage } from '../../../src/core/message';
import { instantOf } from '../../../src/core/ports/clock';
import type { SessionTransaction } from '../../../src/core/ports/session-transaction';
import type { Stores } from '../../../src/core/ports/stores';
import type { SessionRecord } from '../../../src/core/session';
import { DEFAULT_POLICY, UNCHECKED_HEALTH, type AccountRecord, type InboxRecord } from '../../../src/core/setup';
import { createPool, createStores, SecretBox } from '../../../src/persistence';
import type { StoreOptions } from '../../../src/persistence/stores';
import type { TestDatabase } from '../../../src/testing/database';
import { openTestPool } from '../../../src/testing/test-pool';

export const ORG = 'org-1';
export const FOREIGN = 'org-2';

/** The stores over a separate database, and initial rows. */
export interface StoreWorld {
  readonly database: TestDatabase;
  readonly pool: Pool;
  readonly stores: Stores;
  readonly time: { ms: number };
  /** Ids of Sessions for which the stores sent wake-ups. */
  readonly woken: string[];
  readonly account: AccountRecord;
  readonly inbox: InboxRecord;
  /** The same stores as another replica has them: another pool on the same database. */
  replica(keys?: StoreOptions['keys']): Stores;
  open(externalId?: string): Promise<SessionRecord>;
  sql<Row extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  end(): Promise<void>;
}

export async function createStoreWorld(): Promise<StoreWorld> {
  const { database, pool, close } = await openTestPool({ max: 5 });
  const time = { ms: Date.parse('2026-11-22T20:52:20.557Z') };
  const woken: string[] = [];
  const secretBox = new SecretBox('a secret of the tests, at least this long');
  const clock = {
    now: () => time.ms,
    newId: randomUUID,
    random: Math.random,
    newSecret: () => randomBytes(32).toString('base64url'),
  };
  const replicas: Pool[] = [];
  const storesOver = (through: Pool, keys?: StoreOptions['keys']): Stores => {
    // However slow the machine is, nobody gives up waiting for a Session.
    const sessionGate = { waitMs: 2_000_000_000 };
    return createStores(through, {
      secretBox,
      clock,
      keys,
      sessionLimiter: sessionGate,
      wake: {
        committed: ids => {
          woken.push(...ids);
        },
      },
    });
  };
  const stores = storesOver(pool);
  const account = await stores.setup.insertAccount(accountOf({}));
  const inbox = await stores.setup.insertInbox(inboxOf(account, {}));
  return {
    database,
    pool,
    stores,
    time,
    woken,
    account,
    inbox,
    replica(keys) {
      replicas.push(createPool(database.url, { max: 5 }));
      return storesOver(replicas.at(-1)!, keys);
    },
    async open(externalId = randomUUID()) {
      return (
        await stores.sessions.open({
          id: randomUUID(),
          organizationId: ORG,
          chatbotId: inbox.chatbotId,
          inboxId: inbox.id,
          channel: 'web',
          externalId,
          endUser: NOBODY_KNOWN,
          at: instantOf(time.ms),
        })
      ).session;
    },
    sql: async <Row extends object>(text: string, values: unknown[] = []) => (await pool.query<Row>(text, values)).rows,
    async end() {
      await Promise.all(replicas.map(each => each.end()));
      await close();
    },
  };
}

export const NOBODY_KNOWN = { externalId: null, name: null, email: null, phone: null, locale: null, attributes: {} };

export const accountOf = (given: Partial<AccountRecord>): AccountRecord => ({
  id: randomUUID(),
  organizationId: ORG,
  provider: 'scripted',
  name: 'One',
  externalId: 'a-1',
  baseUrl: 'https://support.example',
  settings: { region: 'eu' },
  credentials: { platformToken: 'token-of-the-platform' },
  webhookSecret: randomBytes(32).toString('base64url'),
  capabilities: {
    teams: true,
    priorities: true,
    privateNotes: true,
    attachments: true,
    typing: false,
    createsAccounts: true,
    managesAgents: true,
    inboxMembers: true,
    managesTeams: true,
    loginLinks: false,
    inspectsDrift: true,
    maxTextLength: 64_000,
  },
  owners: [{ name: 'Ada', email: 'ada@example.com' }],
  health: UNCHECKED_HEALTH,
  state: 'READY',
  problem: null,
  disabledCount: 0,
  webhookRotation: null,
  createdAt: '2026-11-22T20:52:20.557Z',
  ...given,
});

export const inboxOf = (account: AccountRecord, given: Partial<InboxRecord>): InboxRecord => ({
  id: randomUUID(),
  organizationId: account.organizationId,
  chatbotId: 'bot-1',
  accountId: account.id,
  name: 'Bot one',
  externalId: 'i-1',
  providerData: { identifier: 'x' },
  policy: DEFAULT_POLICY,
  memberIds: null,
  state: 'READY',
  problem: null,
  disabledCount: 0,
  reenabledAt: null,
  createdAt: '2026-11-22T20:52:20.557Z',
  ...given,
});

export const said = (given: Partial<NewMessage> = {}): NewMessage => ({
  id: randomUUID(),
  author: 'END_USER',
  visibility: 'PUBLIC',
  text: 'hello',
  attachments: [],
  authorName: null,
  agentId: null,
  handoffId: null,
  callerMessageId: null,
  providerMessageId: null,
  replyToMessageId: null,
  createdAt: '2026-11-22T20:52:21.000Z',
  ...given,
});

export const requested = (given: Partial<HandoffRecord> = {}): Omit<HandoffRecord, 'organizationId' | 'sessionId'> => ({
  id: randomUUID(),
  state: 'REQUESTED',
  origin: 'REQUESTED',
  reason: 'asked for a person',
  summary: null,
  intent: 'billing.refund',
  fields: { order: '17' },
  links: [{ label: 'Order 17', url: 'https://shop.example/orders/17' }],
  priority: 'HIGH',
  target: { teamId: null, agentId: null },
  agent: null,
  resumeTarget: null,
  historyThroughSeq: 0,
  openedForAgents: 'NO',
  timesLost: 0,
  openings: 1,
  endReason: null,
  failureCode: null,
  requestedAt: '2026-11-22T20:52:22.000Z',
  queuedAt: null,
  assignedAt: null,
  activeAt: null,
  endingAt: null,
  endedAt: null,
  drainBy: null,
  syncBy: null,
  survey: null,
  ...given,
});

/** Starts a handoff as a flow does: row, link, event. */
export async function begin(tx: SessionTransaction, given: Partial<HandoffRecord> = {}): Promise<HandoffRecord> {
  const handoff = await tx.insertHandoff(requested(given));
  await tx.updateSession({ liveHandoffId: handoff.id });
  await tx.appendEvent(
    { type: 'HANDOFF_CHANGED', from: null, to: handoff.state, cause: 'REQUESTED', endReason: null, agentName: null },
    handoff.id,
    handoff.requestedAt,
  );
  return handoff;
}

/** A promise that the test resolves. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { opened, open };
}

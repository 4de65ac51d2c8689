import DataLoader from 'dataloader';
import type { EventRecord } from '../core/event';
import type { HandoffRecord } from '../core/handoff';
import type { OrganizationId } from '../core/ids';
import type { MessageRecord } from '../core/message';
import type { Page, SessionEventsRequest, SessionPageRequest, Stores } from '../core/ports/stores';
import type { SessionRecord } from '../core/session';
import type { AccountRecord, AgentRecord, InboxRecord, TeamRecord } from '../core/setup';
import { ConcurrencyLimit } from './concurrency-limit';

/** Maximum number of ids in one statement. Rows are short; a page of a list has at most 100 of them. */
const MOST_IDS = 500;
/** Maximum number of lists in one statement. Each may be a page of 100 rows. */
const MOST_LISTS = 100;
/** Maximum number of concurrent statements of one operation, so that it leaves connections for the others. */
const MOST_STATEMENTS_AT_ONCE = 2;

type ById<V> = DataLoader<string, V>;

/**
 * The data that one operation reads. A loader collects the keys requested in one tick into one statement, and loads no
 * key twice. Every field that leads from an entity to another one, or to a list, uses a loader.
 */
export interface Loaders {
  readonly account: ById<AccountRecord | null>;
  readonly inbox: ById<InboxRecord | null>;
  readonly inboxOfChatbot: ById<InboxRecord | null>;
  readonly team: ById<TeamRecord | null>;
  readonly agent: ById<AgentRecord | null>;
  readonly session: ById<SessionRecord | null>;
  readonly handoff: ById<HandoffRecord | null>;
  readonly message: ById<MessageRecord | null>;
  /** The newest handoff of a session, live or over. */
  readonly lastHandoff: ById<HandoffRecord | null>;
  readonly accountsOfOrganization: ById<readonly AccountRecord[]>;
  readonly agentsOfUser: ById<readonly AgentRecord[]>;
  readonly inboxesOfAccount: ById<readonly InboxRecord[]>;
  readonly teamsOfAccount: ById<readonly TeamRecord[]>;
  readonly agentsOfAccount: ById<readonly AgentRecord[]>;
  /**
   * Lists of a session. The arguments are part of the key: aliases with other arguments are other keys of the same
   * statement.
   */
  readonly messagesOfSession: DataLoader<SessionPageRequest, Page<MessageRecord>, string>;
  readonly eventsOfSession: DataLoader<SessionEventsRequest, readonly EventRecord[], string>;
  /**
   * Runs a read that cannot share a statement, e.g. a page of all handoffs; once for each key, however often it is
   * requested. It takes a permit among the loaders' statements, so `read` must not wait for a loader.
   * @param key the field with its arguments; equal JSON means the same read
   */
  alone<T>(key: readonly unknown[], read: () => Promise<T>): Promise<T>;
}

/** The execution that determines when loaders run. */
export interface Pace {
  /** Runs `dispatch` once the current level of the result has requested all of its keys. */
  whenIdle(dispatch: () => void): void;
  /** True after the deadline or after the caller disconnected: no further statement begins. */
  readonly isStopped: boolean;
}

/**
 * Creates loaders for one operation, mutation field or subscription item. A foreign id loads as null, a foreign list as
 * empty.
 * @param pace null outside of an execution, e.g. at the start of a subscription
 */
export function createLoaders(stores: Stores, organization: OrganizationId, pace: Pace | null = null): Loaders {
  const { setup, sessions, handoffs, messages, events } = stores;
  const limit = new ConcurrencyLimit(MOST_STATEMENTS_AT_ONCE);
  const alone = new Map<string, Promise<unknown>>();
  /** After a stop nothing waits for the result, so it never settles. */
  const statement = <T>(read: () => Promise<T>): Promise<T> => limit.run(() => (pace?.isStopped ? new Promise<never>(() => undefined) : read()));
  const batchScheduleFn = pace === null ? undefined : (dispatch: () => void): void => pace.whenIdle(dispatch);
  const loader = <K, V, C>(most: number, cacheKeyFn: (key: K) => C, read: (keys: readonly K[]) => Promise<readonly (V | Error)[]>) =>
    new DataLoader<K, V, C>((keys) => statement(() => read(keys)), { maxBatchSize: most, cacheKeyFn, batchScheduleFn });
  const byId = <V>(read: (ids: readonly string[]) => Promise<readonly V[]>): ById<V> => loader(MOST_IDS, (id: string) => id, read);
  const byAccount = <T extends { readonly accountId: string }>(read: (ids: readonly string[]) => Promise<readonly T[]>) =>
    loader(MOST_LISTS, (id: string) => id, async (ids) => grouped(ids, await read(ids), ({ accountId }) => accountId));
  return {
    account: byId((ids) => setup.accountsByIds(organization, ids)),
    inbox: byId((ids) => setup.inboxesByIds(organization, ids)),
    inboxOfChatbot: byId((ids) => setup.inboxesByChatbots(organization, ids)),
    team: byId((ids) => setup.teamsByIds(organization, ids)),
    agent: byId((ids) => setup.agentsByIds(organization, ids)),
    session: byId((ids) => sessions.getMany(organization, ids)),
    handoff: byId((ids) => handoffs.getMany(organization, ids)),
    message: byId((ids) => messages.getMany(organization, ids)),
    lastHandoff: byId((ids) => handoffs.lastOfSessions(organization, ids)),
    accountsOfOrganization: byId(async (ids) => {
      const own = ids.includes(organization) ? await setup.accountsOf(organization) : [];
      return ids.map((id) => (id === organization ? own : []));
    }),
    agentsOfUser: byId(async (ids) => {
      const byUser = await setup.agentsByUsers(organization, ids);
      return ids.map((id) => byUser.get(id) ?? []);
    }),
    inboxesOfAccount: byAccount((ids) => setup.inboxesOfAccounts(organization, ids)),
    teamsOfAccount: byAccount((ids) => setup.teamsOfAccounts(organization, ids)),
    agentsOfAccount: byAccount((ids) => setup.agentsOfAccounts(organization, ids)),
    messagesOfSession: loader<SessionPageRequest, Page<MessageRecord>, string>(MOST_LISTS, ({ sessionId, first, after }) => JSON.stringify([sessionId, first, after]),
      (requests) => messages.pagesOfSessions(organization, requests)),
    eventsOfSession: loader<SessionEventsRequest, readonly EventRecord[], string>(MOST_LISTS, ({ sessionId, afterSeq, limit: most }) => JSON.stringify([sessionId, afterSeq, most]),
      (requests) => events.ofSessions(organization, requests)),
    alone<T>(key: readonly unknown[], read: () => Promise<T>): Promise<T> {
      const name = JSON.stringify(key);
      const known = alone.get(name) ?? statement(read);
      alone.set(name, known);
      return known as Promise<T>;
    },
  };
}

/** Loads all ids. Rejects with the first error. */
export const loadAll = <V>(loader: ById<V>, ids: readonly string[]): Promise<readonly V[]> => Promise.all(ids.map((id) => loader.load(id)));

function grouped<T>(keys: readonly string[], rows: readonly T[], keyOf: (row: T) => string): readonly (readonly T[])[] {
  const lists = new Map<string, T[]>(keys.map((key) => [key, []]));
  for (const row of rows) lists.get(keyOf(row))?.push(row);
  return keys.map((key) => lists.get(key)!);
}

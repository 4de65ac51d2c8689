import DataLoader from 'dataloader';
import type { EventRecord } from '../../core/event';
import type { HandoffRecord } from '../../core/handoff';
import type { OrganizationId } from '../../core/ids';
import type { MessageRecord } from '../../core/message';
import type { Page } from '../../core/ports/page';
import type { SessionEventsRequest } from '../../core/ports/event-store';
import type { SessionPageRequest } from '../../core/ports/message-store';
import type { Stores } from '../../core/ports/stores';
import type { SessionRecord } from '../../core/session';
import type { AccountRecord, AgentRecord, InboxRecord, TeamRecord } from '../../core/setup';
import { ConcurrencyLimiter } from './concurrency-limiter';

/** Maximum number of ids in one statement. Rows are short; a page of a list has at most 100 of them. */
const MAX_IDS_PER_STATEMENT = 500;
/** Maximum number of lists in one statement. Each may be a page of 100 rows. */
const MAX_LISTS_PER_STATEMENT = 100;
/** Maximum number of concurrent statements of one operation, so that it leaves connections for the others. */
const MAX_CONCURRENT_STATEMENTS = 2;

type LoaderById<V> = DataLoader<string, V>;

/**
 * The data that one operation reads. A loader collects the keys requested in one tick into one statement, and loads no
 * key twice. Every field that leads from an entity to another one, or to a list, uses a loader.
 */
export interface Loaders {
  readonly account: LoaderById<AccountRecord | null>;
  readonly inbox: LoaderById<InboxRecord | null>;
  readonly inboxOfChatbot: LoaderById<InboxRecord | null>;
  readonly team: LoaderById<TeamRecord | null>;
  readonly agent: LoaderById<AgentRecord | null>;
  readonly session: LoaderById<SessionRecord | null>;
  readonly handoff: LoaderById<HandoffRecord | null>;
  readonly message: LoaderById<MessageRecord | null>;
  /** The newest handoff of a session, live or over. */
  readonly lastHandoff: LoaderById<HandoffRecord | null>;
  readonly accountsOfOrganization: LoaderById<readonly AccountRecord[]>;
  readonly agentsOfUser: LoaderById<readonly AgentRecord[]>;
  readonly inboxesOfAccount: LoaderById<readonly InboxRecord[]>;
  readonly teamsOfAccount: LoaderById<readonly TeamRecord[]>;
  readonly agentsOfAccount: LoaderById<readonly AgentRecord[]>;
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
  readOnce<T>(key: readonly unknown[], read: () => Promise<T>): Promise<T>;
}

/** The execution that determines when loaders run. */
export interface LoaderSchedule {
  /** Runs `dispatch` once the current level of the result has requested all of its keys. */
  whenIdle(dispatch: () => void): void;
  /** True after the deadline or after the caller disconnected: no further statement begins. */
  readonly isStopped: boolean;
}

/** Runs the reads of one operation, a few at once. */
class OperationStatements {
  private readonly limit = new ConcurrencyLimiter(MAX_CONCURRENT_STATEMENTS);
  private readonly reads = new Map<string, Promise<unknown>>();

  constructor(private readonly pace: LoaderSchedule | null) {}

  createLoader<K, V, C>(
    max: number,
    cacheKeyFn: (key: K) => C,
    read: (keys: readonly K[]) => Promise<readonly (V | Error)[]>,
  ): DataLoader<K, V, C> {
    const { pace } = this;
    const batchScheduleFn = pace === null ? undefined : (dispatch: () => void): void => pace.whenIdle(dispatch);
    return new DataLoader<K, V, C>(keys => this.run(() => read(keys)), {
      maxBatchSize: max,
      cacheKeyFn,
      batchScheduleFn,
    });
  }

  readOnce<T>(key: readonly unknown[], read: () => Promise<T>): Promise<T> {
    const name = JSON.stringify(key);
    const known = this.reads.get(name) ?? this.run(read);
    this.reads.set(name, known);
    return known as Promise<T>;
  }

  /** After a stop nothing waits for the result, so it never settles. */
  private run<T>(read: () => Promise<T>): Promise<T> {
    return this.limit.run(() => (this.pace?.isStopped ? new Promise<never>(() => undefined) : read()));
  }
}

/**
 * Creates loaders for one operation, mutation field or subscription item. A foreign id loads as null, a foreign list as
 * empty.
 * @param pace null outside of an execution, e.g. at the start of a subscription
 */
export function createLoaders(
  stores: Stores,
  organization: OrganizationId,
  pace: LoaderSchedule | null = null,
): Loaders {
  const { setup, sessions, handoffs, messages, events } = stores;
  const statements = new OperationStatements(pace);
  const createLoaderById = <V>(read: (ids: readonly string[]) => Promise<readonly V[]>): LoaderById<V> =>
    statements.createLoader(MAX_IDS_PER_STATEMENT, (id: string) => id, read);
  const createLoaderByAccount = <T extends { readonly accountId: string }>(
    read: (ids: readonly string[]) => Promise<readonly T[]>,
  ) =>
    statements.createLoader(
      MAX_LISTS_PER_STATEMENT,
      (id: string) => id,
      async ids => groupByKey(ids, await read(ids), ({ accountId }) => accountId),
    );
  return {
    account: createLoaderById(ids => setup.findAccountsByIds(organization, ids)),
    inbox: createLoaderById(ids => setup.findInboxesByIds(organization, ids)),
    inboxOfChatbot: createLoaderById(ids => setup.findInboxesByChatbots(organization, ids)),
    team: createLoaderById(ids => setup.findTeamsByIds(organization, ids)),
    agent: createLoaderById(ids => setup.findAgentsByIds(organization, ids)),
    session: createLoaderById(ids => sessions.getMany(organization, ids)),
    handoff: createLoaderById(ids => handoffs.getMany(organization, ids)),
    message: createLoaderById(ids => messages.getMany(organization, ids)),
    lastHandoff: createLoaderById(ids => handoffs.findLastOfSessions(organization, ids)),
    accountsOfOrganization: createLoaderById(async ids => {
      const own = ids.includes(organization) ? await setup.listAccounts(organization) : [];
      return ids.map(id => (id === organization ? own : []));
    }),
    agentsOfUser: createLoaderById(async ids => {
      const byUser = await setup.findAgentsByUsers(organization, ids);
      return ids.map(id => byUser.get(id) ?? []);
    }),
    inboxesOfAccount: createLoaderByAccount(ids => setup.listInboxesOfAccounts(organization, ids)),
    teamsOfAccount: createLoaderByAccount(ids => setup.listTeamsOfAccounts(organization, ids)),
    agentsOfAccount: createLoaderByAccount(ids => setup.listAgentsOfAccounts(organization, ids)),
    messagesOfSession: statements.createLoader<SessionPageRequest, Page<MessageRecord>, string>(
      MAX_LISTS_PER_STATEMENT,
      ({ sessionId, first, after }) => JSON.stringify([sessionId, first, after]),
      requests => messages.listPagesBySessions(organization, requests),
    ),
    eventsOfSession: statements.createLoader<SessionEventsRequest, readonly EventRecord[], string>(
      MAX_LISTS_PER_STATEMENT,
      ({ sessionId, afterSeq, limit: most }) => JSON.stringify([sessionId, afterSeq, most]),
      requests => events.listBySessions(organization, requests),
    ),
    readOnce: (key, read) => statements.readOnce(key, read),
  };
}

/** Loads all ids. Rejects with the first error. */
export const loadAll = <V>(loader: LoaderById<V>, ids: readonly string[]): Promise<readonly V[]> =>
  Promise.all(ids.map(id => loader.load(id)));

function groupByKey<T>(
  keys: readonly string[],
  rows: readonly T[],
  keyOf: (row: T) => string,
): readonly (readonly T[])[] {
  const lists = new Map<string, T[]>(keys.map(key => [key, []]));
  for (const row of rows) lists.get(keyOf(row))?.push(row);
  return keys.map(key => lists.get(key)!);
}

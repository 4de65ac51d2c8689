import type { HandoffRecord } from '../core/handoff';
import type { OrganizationId } from '../core/ids';
import type { MessageRecord } from '../core/message';
import type { Stores } from '../core/ports/stores';
import type { SessionRecord } from '../core/session';
import type { AccountRecord, AgentRecord, InboxRecord, TeamRecord } from '../core/setup';

/** Collects the ids that one operation asks for in the same moment into one store call, and asks for none twice. */
export class Loader<V> {
  readonly #known = new Map<string, Promise<V>>();
  #waiting: { readonly id: string; readonly resolve: (value: V) => void; readonly reject: (error: unknown) => void }[] = [];

  constructor(private readonly fetch: (ids: readonly string[]) => Promise<readonly V[]>) {}

  load(id: string): Promise<V> {
    let value = this.#known.get(id);
    if (!value) {
      value = new Promise<V>((resolve, reject) => {
        // After all promise jobs of this turn: graphql-js starts sibling fields across several of them.
        if (this.#waiting.push({ id, resolve, reject }) === 1) void Promise.resolve().then(() => process.nextTick(() => void this.#flush()));
      });
      this.#known.set(id, value);
    }
    return value;
  }

  loadMany(ids: readonly string[]): Promise<readonly V[]> { return Promise.all(ids.map((id) => this.load(id))); }

  prime(id: string, value: V): void { if (!this.#known.has(id)) this.#known.set(id, Promise.resolve(value)); }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      const values = await this.fetch(batch.map((one) => one.id));
      batch.forEach((one, i) => one.resolve(values[i] as V));
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }
}

export interface Loaders {
  readonly account: Loader<AccountRecord | null>;
  readonly inbox: Loader<InboxRecord | null>;
  readonly inboxOfChatbot: Loader<InboxRecord | null>;
  readonly team: Loader<TeamRecord | null>;
  readonly agent: Loader<AgentRecord | null>;
  readonly session: Loader<SessionRecord | null>;
  readonly handoff: Loader<HandoffRecord | null>;
  readonly message: Loader<MessageRecord | null>;
  readonly agentsOfUser: Loader<readonly AgentRecord[]>;
  readonly inboxesOfAccount: Loader<readonly InboxRecord[]>;
  readonly teamsOfAccount: Loader<readonly TeamRecord[]>;
  readonly agentsOfAccount: Loader<readonly AgentRecord[]>;
}

/** One set per operation and organization: a foreign id loads as null. */
export function createLoaders(stores: Stores, organization: OrganizationId): Loaders {
  const { setup } = stores;
  /** Lists by account are short: several accounts are answered from one reading of all. */
  const perAccount = <T extends { readonly accountId: string }>(list: (accountId: string | null) => Promise<readonly T[]>) =>
    new Loader<readonly T[]>(async (ids) => {
      const all = await list(ids.length === 1 ? ids[0]! : null);
      return ids.map((id) => all.filter((one) => one.accountId === id));
    });
  return {
    account: new Loader((ids) => setup.accountsByIds(organization, ids)),
    inbox: new Loader((ids) => setup.inboxesByIds(organization, ids)),
    inboxOfChatbot: new Loader((ids) => setup.inboxesByChatbots(organization, ids)),
    team: new Loader((ids) => setup.teamsByIds(organization, ids)),
    agent: new Loader((ids) => setup.agentsByIds(organization, ids)),
    session: new Loader((ids) => stores.sessions.getMany(organization, ids)),
    handoff: new Loader((ids) => stores.handoffs.getMany(organization, ids)),
    message: new Loader((ids) => stores.messages.getMany(organization, ids)),
    agentsOfUser: new Loader(async (ids) => {
      const byUser = await setup.agentsByUsers(organization, ids);
      return ids.map((id) => byUser.get(id) ?? []);
    }),
    inboxesOfAccount: perAccount((id) => setup.inboxesOf(organization, id)),
    teamsOfAccount: perAccount((id) => setup.teamsOf(organization, id)),
    agentsOfAccount: perAccount((id) => setup.agentsOf(organization, id)),
  };
}

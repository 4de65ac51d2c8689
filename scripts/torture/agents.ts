import type { ShutdownSignal } from './shutdown-signal';
import type { Chatwoot, Person, WireConversation } from './chatwoot';
import type { SeededRandom } from './seeded-random';
import type { AgentAct, RemoteStatus } from './evidence';
import type { RunRecord } from './record';

/** Weights of an agent's actions by the conversation's visible status; `none` only reads it. */
const ACTION_WEIGHTS: Readonly<Record<RemoteStatus, Readonly<Partial<Record<AgentAct | 'none', number>>>>> = {
  open: { reply: 50, note: 10, take: 14, give: 4, drop: 3, team: 5, snooze: 4, resolve: 9, return: 4 },
  snoozed: { reply: 20, note: 5, reopen: 40, resolve: 10, none: 25 },
  pending: { reply: 3, note: 4, take: 2, none: 91 },
  resolved: { reply: 2, note: 3, none: 95 },
};

interface AgentsOptions {
  readonly chatwoot: Chatwoot;
  readonly random: SeededRandom;
  readonly record: RunRecord;
  readonly shutdown: ShutdownSignal;
  /** Whether a name is that of a session of this run. */
  knows(session: string): boolean;
}

/** Chatwoot's agents. Each reads the list, picks a conversation that no colleague is working on, and acts on it. */
export class Agents {
  private readonly busy = new Set<number>();
  private readonly count = new Map<string, number>();

  constructor(private readonly options: AgentsOptions) {}

  async work(): Promise<void> {
    await Promise.all(this.options.chatwoot.agents.map(agent => this.workUntilStopped(agent)));
  }

  private async workUntilStopped(agent: Person): Promise<void> {
    const { chatwoot, random, shutdown } = this.options;
    while (!shutdown.isOver) {
      await shutdown.pause(random.between(150, 1_200));
      if (shutdown.isOver) return;
      const listed = (await chatwoot.listConversations(agent).catch(() => [])).filter(
        ({ id, meta }) => !this.busy.has(id) && this.options.knows(meta.sender.name),
      );
      const waiting = listed.filter(({ status }) => status === 'open' || status === 'snoozed');
      const picked = waiting.length > 0 && random.chance(0.8) ? random.pick(waiting) : random.pick(listed);
      if (!picked || this.busy.has(picked.id)) continue;
      this.busy.add(picked.id);
      // An agent who is working on a conversation often sends several messages.
      for (let deeds = random.chance(0.3) ? 3 : 1; deeds > 0 && !shutdown.isOver; deeds--)
        await this.actOn(agent, picked);
      this.busy.delete(picked.id);
    }
  }

  private async actOn(agent: Person, { id, meta }: WireConversation): Promise<void> {
    const { chatwoot, random, record } = this.options;
    const session = meta.sender.name;
    const now = await chatwoot.readConversation(agent, id).catch(() => null);
    if (now === null) return;
    const act = random.weighted(ACTION_WEIGHTS[now.status] as Record<AgentAct | 'none', number>);
    if (act === 'none') return;
    const text =
      act === 'reply' || act === 'note'
        ? `[${session} ${act === 'reply' ? 'agent' : 'note'} ${this.next(session)} ${agent.name}]`
        : null;
    // A refused action changes nothing (e.g. because of the 200 messages a minute); the history decides whether it took
    // effect.
    const ok = await this.perform(act, agent, id, text).then(
      () => true,
      () => false,
    );
    record.add({ kind: 'agent', session, agent: agent.name, act, observedStatus: now.status, text, ok });
  }

  private perform(act: AgentAct, agent: Person, id: number, content: string | null): Promise<unknown> {
    const { chatwoot, random } = this.options;
    const say = (isPrivate: boolean) =>
      chatwoot.act(agent, id, 'messages', { content, message_type: 'outgoing', private: isPrivate });
    const status = (value: RemoteStatus) => chatwoot.act(agent, id, 'toggle_status', { status: value });
    const assign = (body: object) => chatwoot.act(agent, id, 'assignments', body);
    switch (act) {
      case 'reply':
        return say(false);
      case 'note':
        return say(true);
      case 'take':
        return assign({ assignee_id: agent.id });
      case 'give':
        return assign({ assignee_id: random.pick(chatwoot.agents).id });
      case 'drop':
        return assign({ assignee_id: null });
      case 'team':
        return assign({ team_id: random.pick(chatwoot.teams) });
      case 'snooze':
        return status('snoozed');
      case 'reopen':
        return status('open');
      case 'resolve':
        return status('resolved');
      case 'return':
        return status('pending');
    }
  }

  private next(session: string): number {
    const number = (this.count.get(session) ?? 0) + 1;
    this.count.set(session, number);
    return number;
  }
}

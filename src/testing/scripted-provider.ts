import { ProviderAuthError, ProviderRefusedError, ProviderUnavailableError } from '../core/errors';
import type { Capabilities } from '../core/capabilities';
import type { ConversationAccess } from '../core/ports/provider/access';
import type { ConversationView } from '../core/conversation-view';
import type { EnsuredAccount, EnsuredInbox, EnsureAccount, ProviderAgent } from '../core/ports/provider/setup-verbs';
import type { Observation, ListMessages, ObservationPage } from '../core/ports/provider/observation';
import type { OpenConversation, OpenForAgents, ReportNewest } from '../core/ports/provider/conversation-verbs';
import type { AgentRemoval, AgentAndTeamVerbs } from '../core/ports/provider/agents-and-teams';
import type { DesiredState, DriftItem, RepairDrift } from '../core/ports/provider/drift';
import type { PostMessage, PostNote } from '../core/ports/provider/post-verbs';
import type { ProviderDefinition } from '../core/ports/provider/definition';
import type { SupportProvider } from '../core/ports/provider/support-provider';
import type { WebhookHint } from '../core/ports/provider/webhook';

interface Entry {
  id: number;
  by: 'us' | 'agent' | 'note';
  ourId: string | null;
  text: string;
  author: string;
  agent: string | null;
  replyTo?: string | null;
  at?: string;
}
interface Conversation {
  id: string;
  sessionId: string;
  view: { status: ConversationView['status']; agent: string | null; teamId: string | null };
  entries: Entry[];
  deleted: boolean;
}

export const ALL: Capabilities = {
  teams: true,
  priorities: true,
  privateNotes: true,
  attachments: true,
  typing: false,
  createsAccounts: true,
  managesAgents: true,
  inboxMembers: true,
  managesTeams: true,
  loginLinks: true,
  inspectsDrift: true,
  maxTextLength: 100_000,
};

/** When a fault occurs: before the remote did anything, or after it did but before this service got the response. */
export type Fault = 'before' | 'after' | 'refused' | 'gone' | 'auth';

/**
 * A support system in memory, whose agents and faults a test controls. It has no idempotency beyond the port's rules.
 */
export class ScriptedProvider implements SupportProvider {
  readonly conversations: Conversation[] = [];
  readonly calls: string[] = [];
  private readonly faults: { verb: string; fault: Fault }[] = [];
  /** Awaited in the middle of a verb, for races. */
  readonly hooks = new Map<string, () => Promise<void>>();
  private nextId = 1;

  failNext(verb: string, fault: Fault): void {
    this.faults.push({ verb, fault });
  }

  private async runVerb<T>(verb: string, apply: () => T): Promise<T> {
    this.calls.push(verb);
    const at = this.faults.findIndex(fault => fault.verb === verb);
    const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0]!.fault;
    if (fault === 'before') throw new ProviderUnavailableError('away', { delivered: 'no' });
    if (fault === 'auth') throw new ProviderAuthError('BotAgent1 is no longer an administrator of the account.');
    if (fault === 'refused') throw new ProviderRefusedError('never');
    if (fault === 'gone') throw new ProviderRefusedError('deleted', { gone: true });
    const result = apply();
    const hook = this.hooks.get(verb);
    this.hooks.delete(verb);
    await hook?.();
    if (fault === 'after') throw new ProviderUnavailableError('cut', { delivered: 'unknown' });
    return result;
  }

  private find(id: string): Conversation {
    const found = this.conversations.find(conversation => conversation.id === id && !conversation.deleted);
    if (!found) throw new ProviderRefusedError('deleted', { gone: true });
    return found;
  }

  // ---- agents
  get onlyConversation(): Conversation {
    return this.conversations.filter(conversation => !conversation.deleted).at(-1)!;
  }
  agentSays(text: string, agent = 'alice', at = new Date(0).toISOString()): void {
    this.onlyConversation.entries.push({
      id: this.nextId++,
      by: 'agent',
      ourId: null,
      text,
      author: 'AGENT',
      agent,
      at,
    });
  }
  agentNotes(text: string, agent = 'alice'): void {
    this.onlyConversation.entries.push({ id: this.nextId++, by: 'note', ourId: null, text, author: 'AGENT', agent });
  }
  set(view: Partial<Conversation['view']>): void {
    Object.assign(this.onlyConversation.view, view);
  }
  delete(): void {
    this.onlyConversation.deleted = true;
  }
  /** Returns our posts as agents see them, in order. */
  shown(conversation = this.onlyConversation): string[] {
    return conversation.entries.filter(entry => entry.by === 'us').map(entry => `${entry.author}: ${entry.text}`);
  }

  /** Returns the texts that our posts reply to, in order; null: no reply, or one that the remote does not know. */
  answers(): (string | null)[] {
    const { entries } = this.onlyConversation;
    return entries
      .filter(entry => entry.by === 'us')
      .map(({ replyTo }) => entries.find(entry => String(entry.id) === replyTo)?.text ?? null);
  }
  /** Enables the deletion of our posts from now on. */
  enableDelete(): void {
    this.deleteMessage = async ({ conversation, messageId }) =>
      this.runVerb('deleteMessage', () => {
        const entry = this.find(conversation.conversationId).entries.find(one => String(one.id) === messageId);
        if (entry) entry.text = '(deleted)';
      });
  }

  // ---- the port
  deleteMessage?: SupportProvider['deleteMessage'];
  readCapabilities = async () => ALL;
  async ensureAccount({ save }: EnsureAccount): Promise<EnsuredAccount> {
    await save({ externalId: 'acc-1', credentials: { token: 't-1' } });
    return { externalId: 'acc-1', capabilities: ALL, settings: {}, credentials: { token: 't-1' }, manualSteps: [] };
  }
  async ensureInbox(): Promise<EnsuredInbox> {
    return { externalId: 'inbox-1', providerData: {} };
  }
  readonly teams = [
    { externalId: '47', name: 'billing' },
    { externalId: '48', name: 'sales' },
  ];
  readonly agents: ProviderAgent[] = [
    { externalId: 'alice', name: 'Alice', email: 'alice@example.com', role: 'AGENT' },
  ];
  /** The members by inbox or team. */
  readonly members = new Map<string, readonly string[]>();
  /** The result of a removal, and the items of an inspection. */
  removal: AgentRemoval = 'REMOVED';
  drifted: DriftItem[] = [];
  readonly inspected: DesiredState[] = [];
  async listTeams() {
    this.calls.push('listTeams');
    return [...this.teams];
  }
  async listAgents() {
    return [...this.agents];
  }
  private add(to: string, id: string): void {
    this.members.set(to, [...new Set([...(this.members.get(to) ?? []), id])]);
  }
  readonly agentsAndTeams: AgentAndTeamVerbs = {
    addAgent: async ({ name, email, role }) =>
      this.runVerb('addAgent', () => {
        const agent: ProviderAgent = { externalId: email.split('@')[0]!, name, email, role };
        this.agents.push(agent);
        return agent;
      }),
    changeAgentRole: async ({ agentId, role }) =>
      this.runVerb('changeAgentRole', () => {
        const at = this.agents.findIndex(agent => agent.externalId === agentId);
        return (this.agents[at] = { ...this.agents[at]!, role });
      }),
    removeAgent: async ({ agentId, deletePerson }) =>
      this.runVerb('removeAgent', () => {
        if (this.removal !== 'REMOVED' && !deletePerson) return this.removal;
        this.agents.splice(
          this.agents.findIndex(agent => agent.externalId === agentId),
          1,
        );
        return 'REMOVED';
      }),
    setInboxMembers: async (inbox, ids) =>
      this.runVerb('setInboxMembers', () => {
        this.members.set(inbox.externalId, ids);
      }),
    addInboxMember: async (inbox, id) => this.runVerb('addInboxMember', () => this.add(inbox.externalId, id)),
    addTeamMember: async (_access, team, id) => this.runVerb('addTeamMember', () => this.add(team, id)),
    createTeam: async (_access, { name }) =>
      this.runVerb('createTeam', () => {
        this.teams.push({ externalId: '49', name: name.toLowerCase() });
        return { externalId: '49', name: name.toLowerCase() };
      }),
    setTeamMembers: async (_access, team, ids) =>
      this.runVerb('setTeamMembers', () => {
        this.members.set(team, ids);
      }),
  };
  readonly login = {
    createLoginLink: async (_access: unknown, agentId: string) =>
      this.runVerb('createLoginLink', () => (agentId === 'alice' ? null : `https://support.example/login/${agentId}`)),
  };
  readonly drift = {
    inspectDrift: async (desired: DesiredState) =>
      this.runVerb('inspectDrift', () => {
        this.inspected.push(desired);
        return { items: [...this.drifted], learned: { settings: { version: '2.0' } } };
      }),
    repairDrift: async ({ items, save }: RepairDrift) => {
      await save({ credentials: { token: 't-2' } });
      await this.runVerb('repairDrift', () => {
        this.drifted = this.drifted.filter(item => !items.includes(item.id));
      });
    },
  };
  ensureContact = async (_inbox: unknown, sessionId: string) =>
    this.runVerb('ensureContact', () => `contact-${sessionId}`);
  openConversation = async ({ sessionId, mayExist }: OpenConversation) =>
    this.runVerb('openConversation', () => {
      const known = mayExist ? this.conversations.find(c => c.sessionId === sessionId && !c.deleted) : undefined;
      if (known) return known.id;
      const made: Conversation = {
        id: `conv-${this.conversations.length + 1}`,
        sessionId,
        view: { status: 'BOT_HELD', agent: null, teamId: null },
        entries: [],
        deleted: false,
      };
      this.conversations.push(made);
      return made.id;
    });
  postMessage = async ({ conversation, message, mayExist }: PostMessage) =>
    this.runVerb('postMessage', () =>
      this.put(
        conversation,
        message.id,
        `${message.visibility === 'INTERNAL' ? 'internal ' : ''}${message.author}`,
        message.text,
        mayExist,
        message.replyTo,
      ),
    );
  postNote = async ({ conversation, noteId, text, mayExist }: PostNote) =>
    this.runVerb('postNote', () => this.put(conversation, noteId, 'NOTE', text, mayExist));
  private put(
    access: ConversationAccess,
    ourId: string,
    author: string,
    text: string,
    mayExist: boolean,
    replyTo?: string | null,
  ): string {
    const { entries } = this.find(access.conversationId);
    const known = mayExist ? entries.find(entry => entry.ourId === ourId) : undefined;
    if (known) return String(known.id);
    entries.push({ id: this.nextId++, by: 'us', ourId, text, author, agent: null, replyTo: replyTo ?? null });
    return String(entries.at(-1)!.id);
  }
  returnToBot = async (c: ConversationAccess, _signal?: AbortSignal, reportNewest?: ReportNewest) =>
    this.runVerb('returnToBot', () => {
      this.find(c.conversationId).view = { status: 'BOT_HELD', agent: null, teamId: null };
      this.reports(c, reportNewest);
    });
  /** Whether it reports the newest message when a status changes. */
  reportsNewest = true;
  private reports(c: ConversationAccess, reportNewest?: ReportNewest): void {
    if (this.reportsNewest) reportNewest?.(this.find(c.conversationId).entries.at(-1)?.id.toString() ?? null);
  }
  openForAgents = async ({ conversation, teamId, agentId }: OpenForAgents) =>
    this.runVerb('openForAgents', () => {
      const c = this.find(conversation.conversationId);
      c.view = { status: 'OPEN', agent: agentId ?? c.view.agent, teamId: teamId ?? c.view.teamId };
    });
  resolve = async (c: ConversationAccess, _signal?: AbortSignal, reportNewest?: ReportNewest) =>
    this.runVerb('resolve', () => {
      this.find(c.conversationId).view.status = 'RESOLVED';
      this.reports(c, reportNewest);
    });
  parseWebhook(): WebhookHint {
    return { kind: 'ignored', reason: 'none' };
  }
  readConversation = async (c: ConversationAccess): Promise<ConversationView> =>
    this.runVerb('readConversation', () => {
      const { view } = this.find(c.conversationId);
      return {
        status: view.status,
        teamId: view.teamId,
        agent: view.agent === null ? null : { externalId: view.agent, name: view.agent },
      };
    });
  listMessages = async ({ conversation, after }: ListMessages): Promise<ObservationPage> =>
    this.runVerb('listMessages', () => {
      // Always starts three ids back, as a provider does whose ids become visible late.
      const from = Math.max(0, Number(after ?? 0) - 3);
      const entries = this.find(conversation.conversationId)
        .entries.filter(entry => entry.id > from)
        .slice(0, 10);
      const observations = entries.map((entry): Observation => {
        const id = String(entry.id);
        if (entry.ourId !== null) return { kind: 'echo', id, ourId: entry.ourId };
        const agent = { externalId: entry.agent!, name: entry.agent! };
        if (entry.by === 'note') return { kind: 'note', id, agent, at: new Date(0).toISOString() };
        return {
          kind: 'agentMessage',
          id,
          agent,
          text: entry.text,
          attachments: [],
          at: entry.at ?? new Date(0).toISOString(),
        };
      });
      return {
        observations,
        after: entries.length === 0 ? after : String(entries.at(-1)!.id),
        hasMore: entries.length === 10,
      };
    });
}

export const scriptedDefinition = (instance: SupportProvider): ProviderDefinition => ({
  name: 'scripted',
  title: 'For tests',
  parseSettings: () => ({ problems: [] }),
  create: () => instance,
});

import { ProviderRefusedError, UnsupportedByProviderError } from '../../../src/core/errors';
import { WebhookRejectedError } from '../../../src/core/request-errors';
import type { EndUser } from '../../../src/core/session';
import type { AccountAccess, ConversationAccess, InboxAccess } from '../../../src/core/ports/provider/access';
import type { Capabilities } from '../../../src/core/capabilities';
import type { EnsureAccount, EnsureInbox } from '../../../src/core/ports/provider/setup-verbs';
import type { Observation, ListMessages, ObservationPage } from '../../../src/core/ports/provider/observation';
import type { OpenConversation, OpenForAgents } from '../../../src/core/ports/provider/conversation-verbs';
import type { DeleteMessage, PostMessage, PostNote } from '../../../src/core/ports/provider/post-verbs';
import type { ProviderDefinition } from '../../../src/core/ports/provider/definition';
import type { SupportProvider } from '../../../src/core/ports/provider/support-provider';
import type { WebhookRequest } from '../../../src/core/ports/provider/webhook';
import { ToySupportSystem, type ToyMessage } from './far-side';

export const TOY_CAPABILITIES: Capabilities = {
  teams: false,
  priorities: false,
  privateNotes: true,
  attachments: false,
  typing: false,
  createsAccounts: true,
  managesAgents: false,
  inboxMembers: false,
  managesTeams: false,
  loginLinks: false,
  inspectsDrift: false,
  maxTextLength: 1_000,
};
const PAGE = 100;

const unsupported = (what: string) => new UnsupportedByProviderError(`The toy has no ${what}.`);

/** The smallest provider that fulfills the whole contract: a template for a new one. */
export class ToyProvider implements SupportProvider {
  private side({ baseUrl }: AccountAccess): ToySupportSystem {
    const side = ToySupportSystem.byAddress.get(baseUrl ?? '');
    if (!side) throw new ProviderRefusedError('No toy at this address.');
    return side;
  }

  /** One call about one conversation. */
  private at<T>(
    { inbox, conversationId }: ConversationAccess,
    signal: AbortSignal,
    work: (at: ReturnType<ToySupportSystem['conversation']>, side: ToySupportSystem) => T,
  ) {
    const side = this.side(inbox.account);
    return side.request(signal, () => work(side.conversation(inbox.account.externalId, conversationId), side));
  }

  async readCapabilities(access: AccountAccess, signal: AbortSignal) {
    return this.side(access).request(signal, () => TOY_CAPABILITIES);
  }

  async ensureAccount({ access, owners, save }: EnsureAccount, signal: AbortSignal) {
    const side = this.side(access);
    const externalId = `account-${access.accountId}`;
    await side.request(signal, () => {
      if (!side.accounts.has(externalId))
        side.accounts.set(externalId, {
          id: externalId,
          agents: [],
          inboxes: new Map(),
          contacts: new Map(),
          conversations: new Map(),
        });
    });
    await save({ externalId });
    await side.request(signal, () => {
      const { agents } = side.account(externalId);
      for (const { name, email } of owners)
        if (!agents.some(agent => agent.email === email))
          agents.push({ externalId: `agent-${side.nextId()}`, name, email, role: 'ADMINISTRATOR' });
    });
    return {
      externalId,
      capabilities: TOY_CAPABILITIES,
      settings: access.settings,
      credentials: access.credentials,
      manualSteps: [],
    };
  }

  async ensureInbox({ account, inboxId, name }: EnsureInbox, signal: AbortSignal) {
    const side = this.side(account);
    return side.request(signal, () => {
      const { inboxes } = side.account(account.externalId);
      const inbox = inboxes.get(inboxId) ?? { id: `inbox-${inboxId}`, name };
      inboxes.set(inboxId, Object.assign(inbox, { name }));
      return { externalId: inbox.id, providerData: {} };
    });
  }

  async listTeams(access: AccountAccess, signal: AbortSignal) {
    return this.side(access).request(signal, () => []);
  }

  async listAgents(access: AccountAccess, signal: AbortSignal) {
    const side = this.side(access);
    return side.request(signal, () => [...side.account(access.externalId).agents]);
  }

  async ensureContact({ account, externalId }: InboxAccess, sessionId: string, endUser: EndUser, signal: AbortSignal) {
    const side = this.side(account);
    return side.request(signal, () => {
      const id = `contact-${externalId}-${sessionId}`;
      side.account(account.externalId).contacts.set(id, endUser);
      return id;
    });
  }

  async openConversation({ inbox: { account, externalId }, sessionId }: OpenConversation, signal: AbortSignal) {
    const side = this.side(account);
    return side.request(signal, () => {
      const id = `conversation-${externalId}-${sessionId}`;
      const { conversations } = side.account(account.externalId);
      if (!conversations.has(id))
        conversations.set(id, { id, sessionId, messages: [], status: 'BOT_HELD', agent: null, priority: null });
      return id;
    });
  }

  async postMessage({ conversation, message, mayExist }: PostMessage, signal: AbortSignal) {
    if (message.attachments.length > 0) throw unsupported('attachments');
    const { id: ourId, author, visibility, text } = message;
    return this.at(
      conversation,
      signal,
      (at, side) =>
        this.earlier(at.messages, ourId, mayExist) ?? side.say(at, { ourId, author, agent: null, visibility, text }),
    );
  }

  async postNote({ conversation, noteId: ourId, text, mayExist }: PostNote, signal: AbortSignal) {
    return this.at(
      conversation,
      signal,
      (at, side) =>
        this.earlier(at.messages, ourId, mayExist) ??
        side.say(at, { ourId, author: 'BOT', agent: null, visibility: 'INTERNAL', text }),
    );
  }

  async deleteMessage({ conversation, messageId }: DeleteMessage, signal: AbortSignal) {
    await this.at(conversation, signal, ({ messages }) => {
      const at = messages.findIndex(one => String(one.id) === messageId);
      if (at >= 0) messages[at] = { ...messages[at]!, text: this.emptied(messages[at]!.text) };
    });
  }

  protected emptied(_text: string): string {
    return '(taken back)';
  }

  protected earlier(messages: readonly ToyMessage[], ourId: string, mayExist: boolean): string | undefined {
    return mayExist ? messages.find(one => one.ourId === ourId)?.id.toString() : undefined;
  }

  async returnToBot(conversation: ConversationAccess, signal: AbortSignal) {
    await this.at(conversation, signal, at => Object.assign(at, { status: 'BOT_HELD', agent: null, priority: null }));
  }

  async openForAgents({ conversation, teamId, agentId, priority }: OpenForAgents, signal: AbortSignal) {
    if (teamId !== null) throw unsupported('teams');
    if (priority !== null) this.refusePriority();
    await this.at(conversation, signal, (at, side) => {
      const agent =
        side.account(conversation.inbox.account.externalId).agents.find(one => one.externalId === agentId) ?? null;
      if (agentId !== null && !agent) throw new ProviderRefusedError('No such agent.');
      const isRepeat = at.status === 'OPEN' || at.status === 'ON_HOLD';
      Object.assign(at, { status: 'OPEN', agent: agent ?? (isRepeat ? at.agent : null) });
    });
  }

  protected refusePriority(): void {
    throw unsupported('priorities');
  }

  async resolve(conversation: ConversationAccess, signal: AbortSignal) {
    await this.at(conversation, signal, at => Object.assign(at, { status: 'RESOLVED' }));
  }

  parseWebhook(_request: WebhookRequest): never {
    throw new WebhookRejectedError('malformed', 'The toy sends no webhooks.');
  }

  async readConversation(conversation: ConversationAccess, signal: AbortSignal) {
    return this.at(conversation, signal, ({ status, agent }) => ({
      status,
      agent: agent && { externalId: agent.externalId, name: agent.name },
      teamId: null,
    }));
  }

  async listMessages({ conversation, after }: ListMessages, signal: AbortSignal): Promise<ObservationPage> {
    return this.at(conversation, signal, ({ messages }) =>
      this.page(
        messages.filter(one => one.id > Number(after ?? 0)),
        after,
      ),
    );
  }

  protected page(unread: readonly ToyMessage[], after: string | null): ObservationPage {
    const shown = unread.slice(0, PAGE);
    return {
      observations: shown.map(one => this.observe(one)),
      after: shown.at(-1)?.id.toString() ?? after,
      hasMore: unread.length > PAGE,
    };
  }

  protected observe({ id, ourId, agent, visibility, text, at }: ToyMessage): Observation {
    if (ourId !== null) return { kind: 'echo', id: String(id), ourId };
    if (!agent) return { kind: 'ignored', id: String(id), reason: 'activity' };
    const by = { externalId: agent.externalId, name: agent.name };
    return visibility === 'INTERNAL'
      ? { kind: 'note', id: String(id), agent: by, at }
      : { kind: 'agentMessage', id: String(id), agent: by, text, attachments: [], at };
  }
}

export const toyDefinition = (name: string, create: () => SupportProvider): ProviderDefinition => ({
  name,
  title: 'A toy',
  create,
  parseSettings: () => ({ problems: [] }),
});

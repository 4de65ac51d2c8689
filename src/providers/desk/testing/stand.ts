import { randomUUID } from 'node:crypto';
import type { MessageAuthor } from '../../../core/message';
import type { ConversationAccess, InboxAccess } from '../../../core/ports/provider/access';
import type { SupportProvider } from '../../../core/ports/provider/support-provider';
import { desk } from '..';
import { newOrganization, openWorld, type DeskCall, type DeskWorld } from './world';

/**
 * An organization with an account and one inbox at the desk. Ada and Bob are its owners; the settings may add others.
 */
export interface Stand {
  readonly organizationId: string;
  readonly accountId: string;
  readonly inbox: InboxAccess;
  /** Agent ids by name. */
  readonly agents: Readonly<Record<string, string>>;
  readonly teams: Readonly<Record<string, string>>;
  readonly manualSteps: readonly string[];
}

export interface DeskFixture extends Stand {
  readonly world: DeskWorld;
  readonly provider: SupportProvider;
  signal(): AbortSignal;
  /** Acts as Ada unless the call names another agent. */
  call(request: DeskCall): ReturnType<DeskWorld['call']>;
  enable(settings?: Readonly<Record<string, unknown>>): Promise<Stand>;
  newConversation(inbox?: InboxAccess): Promise<ConversationAccess>;
  /** Returns a conversation that waits for an agent. */
  waiting(): Promise<ConversationAccess>;
  says(conversation: ConversationAccess, author: MessageAuthor, text: string, id?: string): Promise<string>;
  view(
    conversation: ConversationAccess,
  ): Promise<{ readonly status: string; readonly agentId: string | null; readonly teamId: string | null }>;
}

export async function openDesk(settings?: Readonly<Record<string, unknown>>): Promise<DeskFixture> {
  const world = await openWorld();
  const provider = desk.create(world.host);
  const signal = () => AbortSignal.timeout(170_000);

  const enable = async (wanted: Readonly<Record<string, unknown>> = {}): Promise<Stand> => {
    const fresh = newOrganization(wanted);
    const { externalId, manualSteps } = await provider.ensureAccount({ ...fresh, save: async () => {} }, signal());
    const account = { ...fresh.access, externalId };
    const inbox = await provider.ensureInbox(
      { account, externalId: null, providerData: {}, inboxId: randomUUID(), chatbotId: 'bot', name: 'Shop' },
      signal(),
    );
    const byName = (list: readonly { externalId: string; name: string }[]) =>
      Object.fromEntries(list.map(one => [one.name, one.externalId]));
    return {
      organizationId: fresh.organizationId,
      accountId: account.accountId,
      inbox: { account, ...inbox },
      manualSteps,
      agents: byName(await provider.listAgents(account, signal())),
      teams: byName(await provider.listTeams(account, signal())),
    };
  };
  const stand = await enable(settings);

  const fixture: DeskFixture = {
    ...stand,
    world,
    provider,
    signal,
    enable,
    call: request => world.call({ organizationId: stand.organizationId, agent: stand.agents.Ada!, ...request }),
    async newConversation(inbox = stand.inbox) {
      const sessionId = randomUUID();
      const endUser = { externalId: sessionId, name: 'Eve', email: null, phone: null, locale: null, attributes: {} };
      const contactId = await provider.ensureContact(inbox, sessionId, endUser, signal());
      const conversationId = await provider.openConversation(
        { inbox, contactId, sessionId, mayExist: false },
        signal(),
      );
      return { inbox, contactId, conversationId, sessionId };
    },
    async waiting() {
      const conversation = await fixture.newConversation();
      await provider.openForAgents({ conversation, teamId: null, agentId: null, priority: null }, signal());
      return conversation;
    },
    says: (conversation, author, text, id = randomUUID()) =>
      provider.postMessage(
        {
          conversation,
          mayExist: false,
          lookupAfter: null,
          message: {
            id,
            author,
            visibility: 'PUBLIC',
            text,
            attachments: [],
            authorName: null,
            createdAt: new Date().toISOString(),
          },
        },
        signal(),
      ),
    async view(conversation) {
      const { status, agent, teamId } = await provider.readConversation(conversation, signal());
      return { status, agentId: agent?.externalId ?? null, teamId };
    },
  };
  return fixture;
}

/** Builds a `POST` request for one conversation. */
export const to = ({ conversationId }: ConversationAccess, verb: string, body: unknown = {}): DeskCall => ({
  method: 'POST',
  path: `/api/conversations/${conversationId}/${verb}`,
  body,
});

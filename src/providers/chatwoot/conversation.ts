import { ProviderRefusedError, ProviderUnavailableError, writeAfterLookup } from '../../core/errors';
import type { ProviderConversationId } from '../../core/ids';
import type { ConversationAccess } from '../../core/ports/provider/access';
import type { ConversationSnapshot } from '../../core/ports/provider/read-verbs';
import type { ConversationView, ProviderStatus } from '../../core/conversation-view';
import type { OpenConversation, OpenForAgents, ReportNewest } from '../../core/ports/provider/conversation-verbs';
import { numberOf, type Connect, type Connection } from './connection';
import { readInConversation } from './damaged-conversation';
import { runLookup } from './run-lookup';
import { readId, readList, displayName, type WireConversation, type WireMessage } from './wire';

export const STATUSES: Readonly<Record<string, ProviderStatus>> = {
  pending: 'BOT_HELD',
  open: 'OPEN',
  snoozed: 'ON_HOLD',
  resolved: 'RESOLVED',
};

/** The conversations of an account, as the bot handles them. */
export class Conversations {
  constructor(private readonly connect: Connect) {}

  async open(
    { inbox, contactId, sessionId, mayExist }: OpenConversation,
    signal: AbortSignal,
  ): Promise<ProviderConversationId> {
    const connection = this.connect(inbox.account);
    const contact = numberOf(contactId, 'contact');
    const mark = { support_session_id: sessionId };
    const create = async () =>
      readId(
        await connection.bot.json(
          {
            method: 'POST',
            path: `${connection.account}/conversations`,
            body: {
              source_id: sessionId,
              inbox_id: numberOf(inbox.externalId, 'inbox'),
              contact_id: contact,
              status: 'pending',
              // Agents' tools replace all custom attributes at once; the second mark survives that.
              custom_attributes: mark,
              additional_attributes: mark,
            },
          },
          signal,
        ),
        'conversation',
      );
    if (!mayExist) return create();
    const made = await runLookup(`the conversation of session ${sessionId}`, async () => {
      const { payload } = (await connection.user.json(
        { method: 'GET', path: `${connection.account}/contacts/${contact}/conversations` },
        signal,
      )) as { payload?: unknown };
      return readList<WireConversation>(payload, 'conversations').filter(
        row => sessionOf(row) === sessionId && String(row.inbox_id) === inbox.externalId,
      );
    });
    return made.length > 0 ? String(Math.min(...made.map(({ id }) => id))) : writeAfterLookup(create);
  }

  async returnToBot(access: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void> {
    const { connection, path } = this.locate(access);
    const { status, priority, meta } = await this.readRow(access, signal);
    if (status !== 'pending') await setStatus(connection, path, 'pending', signal);
    reportNewest?.(await newestMessage(connection, path, signal));
    if (meta.assignee)
      await connection.bot.json({ method: 'POST', path: `${path}/assignments`, body: { assignee_id: null } }, signal);
    // An unknown team clears the field, and 0 is unknown in every account.
    if (meta.team)
      await connection.bot.json({ method: 'POST', path: `${path}/assignments`, body: { team_id: 0 } }, signal);
    if (priority)
      await connection.bot.json({ method: 'POST', path: `${path}/toggle_priority`, body: { priority: null } }, signal);
  }

  /**
   * Sets target and priority while the conversation is still pending, so that agents are notified only once both are
   * right.
   */
  async openForAgents({ conversation, teamId, agentId, priority }: OpenForAgents, signal: AbortSignal): Promise<void> {
    const { connection, path } = this.locate(conversation);
    // Two calls, because Chatwoot uses only the agent if both are in one. The team comes first, because it unassigns an
    // agent who is not in it.
    if (teamId !== null) await assign(connection, path, 'team', teamId, signal);
    if (agentId !== null) await assign(connection, path, 'agent', agentId, signal);
    if (priority !== null)
      await connection.bot.json(
        { method: 'POST', path: `${path}/toggle_priority`, body: { priority: priority.toLowerCase() } },
        signal,
      );
    await setStatus(connection, path, 'open', signal);
    // If the inbox's round robin is enabled, opening replaces an agent who is not a member of the inbox.
    if (agentId !== null && String((await this.readRow(conversation, signal)).meta.assignee?.id) !== agentId)
      await assign(connection, path, 'agent', agentId, signal);
  }

  async resolve(access: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void> {
    const { connection, path } = this.locate(access);
    await setStatus(connection, path, 'resolved', signal);
    reportNewest?.(await newestMessage(connection, path, signal));
  }

  async readSnapshot(access: ConversationAccess, signal: AbortSignal): Promise<ConversationSnapshot> {
    const { connection } = this.locate(access);
    const conversation = await this.readRow(access, signal);
    const { agent_last_seen_at: seenAt } = conversation;
    return {
      ...viewOf(conversation, connection.botUserId, connection.settings.agentBotId),
      agentsReadAt: seenAt ? new Date(seenAt * 1000).toISOString() : null,
    };
  }

  private locate({ inbox, conversationId }: ConversationAccess) {
    const connection = this.connect(inbox.account);
    return { connection, path: connection.conversation(conversationId) };
  }

  private async readRow(access: ConversationAccess, signal: AbortSignal): Promise<WireConversation> {
    const { connection, path } = this.locate(access);
    const conversation = (await readInConversation(connection, path, signal)) as WireConversation | undefined;
    readId(conversation, 'conversation');
    return { ...(conversation as WireConversation), meta: conversation?.meta ?? {} };
  }
}

/**
 * An assignee counts only if it is a person: neither an agent bot nor BotAgent1. An agent who assigns a conversation to
 * our agent bot returns it to the bot.
 */
export const isKnownStatus = (status: string): boolean => STATUSES[status] !== undefined;

export function viewOf(
  { status, meta, priority }: Pick<WireConversation, 'status' | 'meta' | 'priority'>,
  botUserId: number | undefined,
  agentBotId?: number,
): ConversationView {
  const known = STATUSES[status];
  if (known === undefined)
    throw new ProviderUnavailableError(
      'Chatwoot reports a conversation status that this version does not know. Update this service.',
    );
  const { assignee, assignee_type: type } = meta;
  const isPerson =
    assignee != null &&
    (type ?? 'User') === 'User' &&
    (assignee.type ?? 'user') === 'user' &&
    assignee.id !== botUserId;
  const isOurs = assignee != null && type === 'AgentBot' && assignee.id === agentBotId;
  const isGivenBack = isOurs && known === 'OPEN';
  return {
    status: isGivenBack ? 'BOT_HELD' : known,
    ...((isGivenBack || priority) && { hasResidue: true as const }),
    agent: isPerson ? { externalId: String(assignee.id), name: displayName(assignee) } : null,
    teamId: meta.team ? String(meta.team.id) : null,
  };
}

const sessionOf = ({ custom_attributes, additional_attributes }: WireConversation): unknown =>
  custom_attributes?.['support_session_id'] ?? additional_attributes?.['support_session_id'];

/**
 * Assigns a conversation. Chatwoot responds with 200 for every target; the body has the new assignee, or null for an
 * unknown one.
 */
async function assign(
  { bot, botUserId }: Connection,
  path: string,
  kind: 'team' | 'agent',
  id: string,
  signal: AbortSignal,
): Promise<void> {
  // An id that is not a number is as unknown as an unused number.
  const number = /^\d{1,15}$/.test(id) ? Number(id) : 0;
  // BotAgent1 is not a person: a handoff assigned to it would notify no agent.
  const wanted = kind === 'agent' && number === botUserId ? 0 : number;
  const body = kind === 'team' ? { team_id: wanted } : { assignee_id: wanted };
  const assigned = (await bot.json({ method: 'POST', path: `${path}/assignments`, body }, signal)) as {
    id?: number;
  } | null;
  if (wanted === 0 || assigned?.id !== wanted)
    throw new ProviderRefusedError(
      `Chatwoot has no ${kind} ${id} in this account. Refresh teams and agents, and choose one of them.`,
    );
}

/** Returns the highest id of the last page. The page is sorted by time, so its last row need not be the newest. */
async function newestMessage({ user }: Connection, path: string, signal: AbortSignal): Promise<string | null> {
  const { payload } = (await user.json({ method: 'GET', path: `${path}/messages` }, signal)) as { payload?: unknown };
  const ids = readList<WireMessage>(payload, 'messages').map(({ id }) => id);
  return ids.length === 0 ? null : String(Math.max(...ids));
}

async function setStatus({ bot }: Connection, path: string, status: string, signal: AbortSignal): Promise<void> {
  const answer = (await bot.json({ method: 'POST', path: `${path}/toggle_status`, body: { status } }, signal)) as
    | { payload?: { current_status?: string } }
    | undefined;
  const shown = answer?.payload?.current_status;
  if (shown !== status)
    throw new ProviderRefusedError(
      `Chatwoot left conversation ${path.split('/').at(-1)} in status "${shown ?? 'unknown'}" instead of "${status}". Check the conversation in Chatwoot.`,
    );
}

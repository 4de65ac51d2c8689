import type { EventRecord } from '../../core/event';
import type { HandoffRecord } from '../../core/handoff';
import type { MessageRecord } from '../../core/message';
import type { SessionRecord } from '../../core/session';
import type { AgentRecord, InboxRecord, TeamRecord } from '../../core/setup';
import { isUuid } from '../../core/ids';
import { rowsOf, selectList, type Connection, type Statement } from './sql';

/** Lists every field of a record once. A missing or extra field does not compile. */
const fieldsOf =
  <T>() =>
  <const F extends readonly (keyof T & string)[]>(
    fields: F & ([keyof T] extends [F[number]] ? unknown : never),
  ): readonly (keyof T & string)[] =>
    fields;

export const SESSION_FIELDS = fieldsOf<SessionRecord>()([
  'id',
  'organizationId',
  'chatbotId',
  'inboxId',
  'channel',
  'externalId',
  'endUser',
  'control',
  'epoch',
  'lastMessageSeq',
  'lastEventSeq',
  'liveHandoffId',
  'contactId',
  'contactEndUser',
  'conversationId',
  'syncCursor',
  'lastSeenMessageId',
  'statusWrites',
  'lastView',
  'recentPosts',
  'recheckIds',
  'syncHint',
  'hintCount',
  'stateHintCount',
  'stateReadAt',
  'agentsReadAt',
  'lastEnding',
  'openedAt',
  'closedAt',
  'removedHistory',
]);
export const MESSAGE_FIELDS = fieldsOf<MessageRecord>()([
  'id',
  'organizationId',
  'sessionId',
  'seq',
  'author',
  'visibility',
  'text',
  'attachments',
  'authorName',
  'agentId',
  'handoffId',
  'callerMessageId',
  'providerMessageId',
  'replyToMessageId',
  'deletedAt',
  'channelState',
  'content',
  'version',
  'editedAt',
  'reactions',
  'forwarded',
  'isUndelivered',
  'saidAt',
  'createdAt',
]);
export const EVENT_FIELDS = fieldsOf<EventRecord>()([
  'sessionId',
  'seq',
  'organizationId',
  'chatbotId',
  'handoffId',
  'body',
  'at',
  'position',
]);
/** Without the provider's data, which is sealed. */
export const INBOX_FIELDS = fieldsOf<Omit<InboxRecord, 'providerData'>>()([
  'id',
  'organizationId',
  'chatbotId',
  'accountId',
  'name',
  'externalId',
  'policy',
  'memberIds',
  'state',
  'problem',
  'disabledCount',
  'reenabledAt',
  'createdAt',
]);
export const TEAM_FIELDS = fieldsOf<TeamRecord>()([
  'id',
  'organizationId',
  'accountId',
  'externalId',
  'name',
  'memberIds',
  'autoAssign',
]);
export const AGENT_FIELDS = fieldsOf<AgentRecord>()([
  'id',
  'organizationId',
  'accountId',
  'externalId',
  'name',
  'email',
  'role',
  'userId',
]);

const PLAIN_HANDOFF_FIELDS = fieldsOf<Omit<HandoffRecord, 'target' | 'agent'>>()([
  'id',
  'organizationId',
  'sessionId',
  'state',
  'origin',
  'reason',
  'summary',
  'intent',
  'fields',
  'priority',
  'resumeTarget',
  'historyThroughSeq',
  'openedForAgents',
  'timesLost',
  'openings',
  'endReason',
  'failureCode',
  'requestedAt',
  'queuedAt',
  'assignedAt',
  'activeAt',
  'endingAt',
  'endedAt',
  'drainBy',
  'syncBy',
  'survey',
  'links',
]);
const FLATTENED_HANDOFF_FIELDS = ['targetTeamId', 'targetAgentId', 'agentId', 'agentExternalId', 'agentName'] as const;

/** A handoff as its table stores it: target and agent have separate columns, for filters. */
export const HANDOFF_FIELDS: readonly string[] = [...PLAIN_HANDOFF_FIELDS, ...FLATTENED_HANDOFF_FIELDS];
export type HandoffColumns = Omit<HandoffRecord, 'target' | 'agent'> & {
  readonly targetTeamId: string | null;
  readonly targetAgentId: string | null;
  readonly agentId: string | null;
  readonly agentExternalId: string | null;
  readonly agentName: string | null;
};

export function handoffOf({
  targetTeamId,
  targetAgentId,
  agentId,
  agentExternalId,
  agentName,
  ...flat
}: HandoffColumns): HandoffRecord {
  return {
    ...flat,
    target: { teamId: targetTeamId, agentId: targetAgentId },
    agent: agentExternalId === null ? null : { id: agentId, externalId: agentExternalId, name: agentName ?? '' },
  };
}

export function handoffColumns({ target, agent, ...flat }: HandoffRecord): HandoffColumns {
  return {
    ...flat,
    targetTeamId: target.teamId,
    targetAgentId: target.agentId,
    agentId: agent?.id ?? null,
    agentExternalId: agent?.externalId ?? null,
    agentName: agent?.name ?? null,
  };
}

export const SESSION = selectList('s', SESSION_FIELDS);
export const HANDOFF = selectList('h', HANDOFF_FIELDS);
export const MESSAGE = selectList('m', MESSAGE_FIELDS);
export const EVENT = selectList('e', EVENT_FIELDS);
export const INBOX = selectList('i', INBOX_FIELDS);
/** Without `state`, because that depends on the account's state. */
export const SESSION_INBOX = selectList(
  'i',
  INBOX_FIELDS.filter(field => field !== 'state' && field !== 'disabledCount'),
);
export const TEAM = selectList('t', TEAM_FIELDS);
export const AGENT = selectList('a', AGENT_FIELDS);

/**
 * Finds many rows by id in one statement, in the order of `ids`; null for an unknown, foreign or invalid id. The
 * statement takes the organization and the ids.
 */
export async function findManyById<Row extends { readonly id: string }>(
  db: Connection,
  sql: Statement,
  organizationId: string,
  ids: readonly string[],
): Promise<(Row | null)[]> {
  const asked = ids.map(id => (isUuid(id) ? id.toLowerCase() : null));
  const known = [...new Set(asked.filter(id => id !== null))];
  if (known.length === 0) return ids.map(() => null);
  const found = new Map((await rowsOf<Row>(db, sql, [organizationId, known])).map(row => [row.id, row]));
  return asked.map(id => (id === null ? null : (found.get(id) ?? null)));
}

import type { EventRecord } from '../../core/event';
import type { HandoffRecord } from '../../core/handoff';
import type { MessageRecord } from '../../core/message';
import type { SessionRecord } from '../../core/session';
import type { SessionInbox } from '../../core/ports/session-transaction';
import type { AgentRecord, TeamRecord } from '../../core/setup';
import { isUuid } from '../../core/ids';
import { EventRow } from '../entities/event';
import { HandoffRow } from '../entities/handoff';
import { InboxRow } from '../entities/inbox';
import { MessageRow } from '../entities/message';
import { SessionRow } from '../entities/session';
import { AgentRow, TeamRow } from '../entities/directory';
import { fieldsOf } from './entity-columns';
import { rowsOf, selectList, type Connection, type Statement } from './sql';

export const SESSION_FIELDS = fieldsOf<SessionRecord>()(SessionRow, 'accountId');
export const MESSAGE_FIELDS = fieldsOf<MessageRecord>()(MessageRow);
export const EVENT_FIELDS = fieldsOf<EventRecord>()(EventRow, 'type');
export const TEAM_FIELDS = fieldsOf<TeamRecord>()(TeamRow, 'goneAt');
export const AGENT_FIELDS = fieldsOf<AgentRecord>()(AgentRow, 'goneAt');

/** A handoff as its table stores it: target and agent have separate columns, for filters. */
export type HandoffColumns = Omit<HandoffRecord, 'target' | 'agent'> & {
  readonly targetTeamId: string | null;
  readonly targetAgentId: string | null;
  readonly agentId: string | null;
  readonly agentExternalId: string | null;
  readonly agentName: string | null;
};

export const HANDOFF_FIELDS = fieldsOf<HandoffColumns>()(HandoffRow, 'chatbotId');

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
/** Without `state`, because that depends on the account's state, and without the provider's data, which is sealed. */
export const SESSION_INBOX = selectList(
  'i',
  fieldsOf<Omit<SessionInbox, 'state'>>()(InboxRow, 'state', 'disabledCount', 'providerDataSealed'),
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

import type { Pool } from 'pg';
import type { HandoffRecord } from '../../core/handoff';
import { isUuid, type HandoffId, type Instant, type OrganizationId, type SessionId } from '../../core/ids';
import type { HandoffFilter, HandoffStore } from '../../core/ports/handoff-store';
import type { Page, PageRequest } from '../../core/ports/page';
import { decodeCursor, encodeCursor, isInstant } from '../postgres/cursor';
import { HANDOFF, handoffOf, findManyById, type HandoffColumns } from '../postgres/records';
import { firstOf, rowsOf, statement } from '../postgres/sql';

const LIVE = "h.state not in ('ENDED', 'REJECTED', 'FAILED')";
const BY_ID = statement('handoff', `select ${HANDOFF} from handoff h where h.organization_id = $1 and h.id = $2`);
const BY_IDS = statement(
  'handoffs',
  `select ${HANDOFF} from handoff h where h.organization_id = $1 and h.id = any($2::uuid[])`,
);
// Of two handoffs requested in the same millisecond, the live one is newer.
const LAST_OF_SESSIONS = statement(
  'last_handoffs_of_sessions',
  `
  select ${HANDOFF} from unnest($2::uuid[]) as asked (session_id)
  join lateral (select * from handoff h where h.session_id = asked.session_id order by h.requested_at desc, ${LIVE} desc, h.id desc limit 1) h on h.organization_id = $1`,
);
// Both conditions are indexed. drain_by alone would miss handoffs whose last message was just collected.
const DUE_TO_END = statement(
  'handoffs_due_to_end',
  `
  select h.organization_id as "organizationId", h.session_id as "sessionId", h.id as "handoffId" from handoff h join session s on s.id = h.session_id
  where h.state = 'ENDING' and (h.sync_by is null or h.sync_by <= $1)
    and (h.drain_by <= $1 or s.closed_at is not null or not exists (select from delivery d where d.drains_handoff_id = h.id and d.state = 'WAITING'))
    and h.id <> all($3::uuid[])
  order by h.drain_by limit $2 for no key update of s skip locked`,
);

const isText = (part: unknown): part is string => typeof part === 'string' && isUuid(part);

export class PostgresHandoffStore implements HandoffStore {
  constructor(private readonly pool: Pool) {}

  async get(organizationId: OrganizationId, id: HandoffId): Promise<HandoffRecord | null> {
    const row = isUuid(id) ? await firstOf<HandoffColumns>(this.pool, BY_ID, [organizationId, id]) : null;
    return row && handoffOf(row);
  }

  async getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (HandoffRecord | null)[]> {
    return (await findManyById<HandoffColumns>(this.pool, BY_IDS, organizationId, ids)).map(
      row => row && handoffOf(row),
    );
  }

  async page(
    organizationId: OrganizationId,
    filter: HandoffFilter,
    { first, after }: PageRequest,
  ): Promise<Page<HandoffRecord>> {
    const { conditions, values } = conditionsOf(organizationId, filter);
    if (after !== null) {
      const [requestedAt, id] = decodeCursor<[string, string]>('handoffs', after, [isInstant, isText]);
      values.push(requestedAt, id);
      conditions.push(`(h.requested_at, h.id) < ($${values.length - 1}::timestamptz, $${values.length}::uuid)`);
    }
    values.push(first + 1);
    // Each combination of filters has its own statement, so that each gets its own plan.
    const text = `select ${HANDOFF} from handoff h where ${conditions.join(' and ')} order by h.requested_at desc, h.id desc limit $${values.length}`;
    const rows = await rowsOf<HandoffColumns>(
      this.pool,
      { name: `handoffs_${statementNameOf(filter, after)}`, text },
      values,
    );
    return {
      edges: rows
        .slice(0, first)
        .map(row => ({ node: handoffOf(row), cursor: encodeCursor('handoffs', row.requestedAt, row.id) })),
      hasNextPage: rows.length > first,
    };
  }

  async findLastOfSessions(
    organizationId: OrganizationId,
    sessionIds: readonly string[],
  ): Promise<readonly (HandoffRecord | null)[]> {
    const known = [...new Set(sessionIds.filter(isUuid).map(id => id.toLowerCase()))];
    if (known.length === 0) return sessionIds.map(() => null);
    const rows = await rowsOf<HandoffColumns>(this.pool, LAST_OF_SESSIONS, [organizationId, known]);
    const found = new Map(rows.map(row => [row.sessionId, handoffOf(row)]));
    return sessionIds.map(id => found.get(id.toLowerCase()) ?? null);
  }

  findDueToEnd(
    now: Instant,
    limit: number,
    but: readonly HandoffId[] = [],
  ): Promise<readonly { organizationId: OrganizationId; sessionId: SessionId; handoffId: HandoffId }[]> {
    return rowsOf(this.pool, DUE_TO_END, [now, limit, but]);
  }
}

function conditionsOf(
  organizationId: OrganizationId,
  filter: HandoffFilter,
): { conditions: string[]; values: unknown[] } {
  const values: unknown[] = [organizationId];
  const conditions = ['h.organization_id = $1'];
  const add = (value: unknown, condition: (parameter: string) => string) =>
    conditions.push(condition(`$${values.push(value)}`));
  if (filter.chatbotIds !== null) add(filter.chatbotIds, ids => `h.chatbot_id = any(${ids}::text[])`);
  if (filter.states !== null) add(filter.states, states => `h.state = any(${states}::text[])`);
  if (filter.live !== null) conditions.push(filter.live ? LIVE : `not (${LIVE})`);
  if (filter.teamIds !== null) add(filter.teamIds.filter(isUuid), ids => `h.target_team_id = any(${ids}::uuid[])`);
  if (filter.sessionId !== null)
    add(isUuid(filter.sessionId) ? [filter.sessionId] : [], ids => `h.session_id = any(${ids}::uuid[])`);
  return { conditions, values };
}

const statementNameOf = (
  { chatbotIds, states, live, teamIds, sessionId }: HandoffFilter,
  after: string | null,
): string =>
  [
    chatbotIds && 'chatbots',
    states && 'states',
    live === null ? null : live ? 'live' : 'over',
    teamIds && 'teams',
    sessionId && 'session',
    after && 'after',
  ]
    .filter(part => part !== null)
    .join('_') || 'all';

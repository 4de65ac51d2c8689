import type { Pool } from 'pg';
import type { DeadLetter } from '../../core/delivery';
import { isUuid, type OrganizationId, type SessionId } from '../../core/ids';
import type { BlockedLane, DeadLetterFilter, DeadLetterStore } from '../../core/ports/dead-letter-store';
import type { Page, PageRequest } from '../../core/ports/page';
import { decodeCursor, encodeCursor, isBigint } from '../postgres/cursor';
import { firstOf, rowsOf, statement, type Statement } from '../postgres/sql';

type State = DeadLetter['state'];
type Row = Omit<DeadLetter, 'discarded'> & { readonly doneAt: string | null; readonly discardReason: string | null };

const outcomeOf = (delivery: string) => `case when ${delivery}.outcome_unknown then 'UNKNOWN' else 'NOT_DELIVERED' end`;
const DEAD_LETTER = `
  d.id, d.organization_id as "organizationId", d.chatbot_id as "chatbotId", d.session_id as "sessionId", d.destination, d.kind, d.state,
  coalesce(d.last_error_code, 'INTERNAL') as code, d.attempts_before_resend + d.attempts as attempts, ${outcomeOf('d')} as outcome, d.payload ->> 'messageId' as "messageId",
  coalesce((d.payload ->> 'handoffId')::uuid, d.drains_handoff_id, m.handoff_id) as "handoffId", d.created_at as "createdAt",
  d.parked_at as "parkedAt", d.done_at as "doneAt", d.discard_reason as "discardReason", l.session_id is not null as "isBlockingLane"`;
const JOINED = `
  left join message m on m.session_id = d.session_id and m.id = (d.payload ->> 'messageId')::uuid
  left join lane l on l.session_id = d.session_id and l.destination = d.destination and l.blocked_by = d.id`;

const filterSql = (state: State) => `
  d.organization_id = $1 and d.state = '${state}'
  and ($2::uuid is null or exists (select from session s where s.id = d.session_id and s.account_id = $2))
  and ($3::text is null or d.chatbot_id = $3) and ($4::uuid is null or d.session_id = $4)
  and ($5::text is null or d.destination = $5) and ($6::text is null or d.kind = $6) and ($7::text is null or d.last_error_code = $7)
  and ($8::timestamptz is null or d.parked_at < $8) and ($9::timestamptz is null or d.parked_at > $9)
  and ($10::text is null or d.outcome_unknown = ($10 = 'UNKNOWN'))`;
const statementPerState = (make: (state: State) => Statement): Readonly<Record<State, Statement>> => ({
  PARKED: make('PARKED'),
  DISCARDED: make('DISCARDED'),
});
const PAGE = statementPerState(state =>
  statement(
    `dead_letters_${state}`,
    `select ${DEAD_LETTER} from delivery d ${JOINED} where ${filterSql(state)} and d.id > $11 order by d.id limit $12`,
  ),
);
const COUNT = statementPerState(state =>
  statement(`count_dead_letters_${state}`, `select count(*)::int as count from delivery d where ${filterSql(state)}`),
);
const BY_IDS = statement(
  'dead_letters_by_ids',
  `
  select ${DEAD_LETTER} from delivery d ${JOINED} where d.organization_id = $1 and d.state = 'PARKED' and d.id = any($2::bigint[]) order by d.id`,
);
const BLOCKED_LANES = statement(
  'blocked_lanes',
  `
  select l.destination, d.id as "deliveryId", d.kind, coalesce(d.last_error_code, 'INTERNAL') as code, ${outcomeOf('d')} as outcome, d.parked_at as "parkedAt"
  from lane l join delivery d on d.id = l.blocked_by
  where l.session_id = $2 and l.organization_id = $1 order by l.destination`,
);

export class PostgresDeadLetterStore implements DeadLetterStore {
  constructor(private readonly pool: Pool) {}

  async page(
    organizationId: OrganizationId,
    state: State,
    filter: DeadLetterFilter,
    { first, after }: PageRequest,
  ): Promise<Page<DeadLetter>> {
    const [afterId] = after === null ? ['0'] : decodeCursor<[string]>('deadLetters', after, [isBigint]);
    const conditions = conditionsOf(organizationId, filter);
    const rows =
      conditions === null ? [] : await rowsOf<Row>(this.pool, PAGE[state], [...conditions, afterId, first + 1]);
    return {
      edges: rows
        .slice(0, first)
        .map(row => ({ node: deadLetterOf(row), cursor: encodeCursor('deadLetters', row.id) })),
      hasNextPage: rows.length > first,
    };
  }

  async count(organizationId: OrganizationId, state: State, filter: DeadLetterFilter): Promise<number> {
    const conditions = conditionsOf(organizationId, filter);
    return conditions === null ? 0 : (await firstOf<{ count: number }>(this.pool, COUNT[state], conditions))!.count;
  }

  async findParked(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly DeadLetter[]> {
    const possible = [...new Set(ids)].filter(isBigint);
    return possible.length === 0
      ? []
      : (await rowsOf<Row>(this.pool, BY_IDS, [organizationId, possible])).map(deadLetterOf);
  }

  findBlockedLanes(organizationId: OrganizationId, sessionId: SessionId): Promise<readonly BlockedLane[]> {
    return isUuid(sessionId)
      ? rowsOf<BlockedLane>(this.pool, BLOCKED_LANES, [organizationId, sessionId])
      : Promise.resolve([]);
  }
}

/** Returns the filter's parameters. Null: an id that cannot be one of ours matches nothing. */
function conditionsOf(organizationId: OrganizationId, filter: DeadLetterFilter): unknown[] | null {
  const { accountId, chatbotId, sessionId, destination, kind, code, outcome, parkedBefore, parkedAfter } = filter;
  if ([accountId, sessionId].some(id => id !== null && !isUuid(id))) return null;
  return [
    organizationId,
    accountId,
    chatbotId,
    sessionId,
    destination,
    kind,
    code,
    parkedBefore,
    parkedAfter,
    outcome ?? null,
  ];
}

const deadLetterOf = ({ doneAt, discardReason, ...row }: Row): DeadLetter => ({
  ...row,
  discarded: row.state === 'DISCARDED' ? { at: doneAt!, reason: discardReason ?? '' } : null,
});

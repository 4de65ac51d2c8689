import type { Pool } from 'pg';
import { isUuid } from '../../core/ids';
import type { ConnectionStore, SessionConnection } from '../../core/ports/connection-store';
import type { SessionRecord } from '../../core/session';
import { HANDOFF_FIELDS, handoffOf, SESSION_FIELDS, type HandoffColumns } from '../postgres/records';
import { column, firstOf, statement } from '../postgres/sql';
import { ACCOUNT_FIELDS, type AccountColumns, type AccountTable } from '../setup/account-table';
import { INBOX_FIELDS, type InboxColumns, type InboxTable } from '../setup/inbox-table';

/** Returns `s.organization_id as "s.organizationId", …`, because several tables have columns of the same name. */
const prefixed = (alias: string, fields: readonly string[]): string =>
  fields.map(field => `${alias}.${column(field)} as "${alias}.${field}"`).join(', ');

const LOAD = statement(
  'session_connection',
  `
  select ${prefixed('s', SESSION_FIELDS)}, ${prefixed('i', INBOX_FIELDS)}, ${prefixed('a', ACCOUNT_FIELDS)},
    ${prefixed('l', HANDOFF_FIELDS)}, ${prefixed('h', HANDOFF_FIELDS)}
  from session s
  left join inbox i on i.organization_id = s.organization_id and i.id = s.inbox_id
  left join support_account a on a.organization_id = s.organization_id and a.id = i.account_id
  left join handoff l on l.organization_id = s.organization_id and l.id = s.live_handoff_id
  left join handoff h on h.organization_id = s.organization_id and h.id = $3::uuid
  where s.organization_id = $1 and s.id = $2`,
);

type Row = Readonly<Record<string, unknown>>;

/** Returns the part of a row that came from one table; null if the join found nothing. */
function partOf<Columns>(row: Row, alias: string, fields: readonly string[]): Columns | null {
  if (row[`${alias}.id`] === null) return null;
  return Object.fromEntries(fields.map(field => [field, row[`${alias}.${field}`]])) as Columns;
}

export class PostgresConnectionStore implements ConnectionStore {
  constructor(
    private readonly pool: Pool,
    private readonly accounts: Pick<AccountTable, 'fromRow'>,
    private readonly inboxes: Pick<InboxTable, 'fromRow'>,
  ) {}

  async load(organizationId: string, sessionId: string, handoffId: string | null): Promise<SessionConnection | null> {
    if (!isUuid(sessionId)) return null;
    const named = handoffId !== null && isUuid(handoffId) ? handoffId : null;
    const row = await firstOf<Row>(this.pool, LOAD, [organizationId, sessionId, named]);
    const session = row && partOf<SessionRecord>(row, 's', SESSION_FIELDS);
    if (row === null || session === null) return null;
    const inbox = partOf<InboxColumns>(row, 'i', INBOX_FIELDS);
    const account = partOf<AccountColumns>(row, 'a', ACCOUNT_FIELDS);
    const [liveHandoff, handoff] = (['l', 'h'] as const).map(alias =>
      partOf<HandoffColumns>(row, alias, HANDOFF_FIELDS),
    );
    return {
      session,
      inbox: inbox && this.inboxes.fromRow(inbox),
      account: account && this.accounts.fromRow(account),
      liveHandoff: liveHandoff ? handoffOf(liveHandoff) : null,
      handoff: handoff ? handoffOf(handoff) : null,
    };
  }
}

import type { Pool } from 'pg';
import { NotFoundError } from '../core/errors';
import { isUuid } from '../core/ids';
import type { AccountRecord, InboxRecord } from '../core/setup';
import { INBOX, INBOX_FIELDS, manyById } from './records';
import type { SecretBox } from './secret-box';
import { assigned, columns, firstOf, json, parameters, rowsOf, statement } from './sql';

type Patch = Partial<Pick<InboxRecord, 'name' | 'externalId' | 'providerData' | 'policy' | 'memberIds' | 'state' | 'problem' | 'heardSince'>>;
type Row = InboxRecord & { readonly providerDataSealed: string | null };

const COLUMNS: readonly string[] = [...INBOX_FIELDS, 'providerDataSealed'];
const WHOLE = `${INBOX}, i.provider_data as "providerData", i.provider_data_sealed as "providerDataSealed"`;
const BY_ID = statement('inbox', `select ${WHOLE} from inbox i where i.organization_id = $1 and i.id = $2`);
const BY_ID_ALONE = statement('inbox_alone', `select ${WHOLE} from inbox i where i.id = $1`);
const BY_IDS = statement('inboxes', `select ${WHOLE} from inbox i where i.organization_id = $1 and i.id = any($2::uuid[])`);
const BY_CHATBOTS = statement('inboxes_by_chatbots', `select ${WHOLE} from inbox i where i.organization_id = $1 and i.chatbot_id = any($2::text[])`);
const OF = statement('inboxes_of', `
  select ${WHOLE} from inbox i where i.organization_id = $1 and ($2::uuid is null or i.account_id = $2) order by i.created_at, i.id`);
const OF_ACCOUNTS = statement('inboxes_of_accounts', `
  select ${WHOLE} from inbox i where i.organization_id = $1 and i.account_id = any($2::uuid[]) order by i.created_at, i.id`);
const INSERT = statement('insert_inbox', `
  insert into inbox (${columns(COLUMNS)}) values (${parameters(COLUMNS)}) on conflict on constraint uq_inbox_chatbot do nothing`);
const UNSEALED = statement('unsealed_inboxes', 'select id, provider_data as "providerData" from inbox where provider_data is not null');
const SEAL = statement('seal_inbox', `
  update inbox set provider_data_sealed = coalesce(provider_data_sealed, $2), provider_data = null where id = $1`);

const JSON_FIELDS = ['policy', 'memberIds', 'problem'];

const DISABLE = statement('disable_inbox', `
  update inbox i set state = 'DISABLED', problem = null, times_disabled = i.times_disabled + 1 where i.id = $1 returning ${WHOLE}`);

export class InboxTable {
  constructor(private readonly pool: Pool, private readonly secretBox: SecretBox) {}

  async insert(inbox: InboxRecord): Promise<InboxRecord> {
    const row = this.sealed(inbox.id, inbox);
    await rowsOf(this.pool, INSERT, COLUMNS.map((field) => row[field] ?? null));
    return (await this.ofChatbot(inbox.organizationId, inbox.chatbotId))!;
  }

  async update(id: string, patch: Patch): Promise<InboxRecord> {
    const changes = Object.entries(this.sealed(id, patch)).filter(([field, value]) => value !== undefined && COLUMNS.includes(field));
    const [row] = !isUuid(id) ? []
      : changes.length === 0 ? await rowsOf<Row>(this.pool, BY_ID_ALONE, [id])
      : await rowsOf<Row>(this.pool, { text: `update inbox i set ${assigned(changes.map(([field]) => field), 2)} where i.id = $1 returning ${WHOLE}` },
          [id, ...changes.map(([, value]) => value)]);
    if (!row) throw new NotFoundError('INBOX_NOT_FOUND', 'inboxId', `There is no inbox ${id}.`);
    return this.opened(row);
  }

  /**
   * Records the result of a setup. It locks the account's row, so that a concurrent disable waits and then finds the
   * inbox in its new state.
   */
  async conclude(
    { id, timesDisabled }: Pick<InboxRecord, 'id' | 'timesDisabled'>, account: Pick<AccountRecord, 'id' | 'timesDisabled'>, patch: Patch & Pick<InboxRecord, 'state'>,
  ): Promise<InboxRecord | null> {
    const changes = Object.entries(this.sealed(id, patch)).filter(([field, value]) => value !== undefined && COLUMNS.includes(field));
    const row = await firstOf<Row>(this.pool, { text: `
      update inbox i set ${assigned(changes.map(([field]) => field), 5)}
      from (select id from support_account where id = $3 and times_disabled = $4 and state <> 'DISABLED' for share) a
      where i.id = $1 and i.times_disabled = $2 and i.account_id = a.id
      returning ${WHOLE}` }, [id, timesDisabled, account.id, account.timesDisabled, ...changes.map(([, value]) => value)]);
    return row && this.opened(row);
  }

  async disable(id: string): Promise<InboxRecord> {
    const row = isUuid(id) ? await firstOf<Row>(this.pool, DISABLE, [id]) : null;
    if (!row) throw new NotFoundError('INBOX_NOT_FOUND', 'inboxId', `There is no inbox ${id}.`);
    return this.opened(row);
  }

  async get(organizationId: string, id: string): Promise<InboxRecord | null> {
    const row = isUuid(id) ? await firstOf<Row>(this.pool, BY_ID, [organizationId, id]) : null;
    return row && this.opened(row);
  }

  async ofChatbot(organizationId: string, chatbotId: string): Promise<InboxRecord | null> {
    const row = await firstOf<Row>(this.pool, BY_CHATBOTS, [organizationId, [chatbotId]]);
    return row && this.opened(row);
  }

  async byIds(organizationId: string, ids: readonly string[]): Promise<readonly (InboxRecord | null)[]> {
    return (await manyById<Row>(this.pool, BY_IDS, organizationId, ids)).map((row) => row && this.opened(row));
  }

  async byChatbots(organizationId: string, chatbotIds: readonly string[]): Promise<readonly (InboxRecord | null)[]> {
    if (chatbotIds.length === 0) return [];
    const rows = await rowsOf<Row>(this.pool, BY_CHATBOTS, [organizationId, [...new Set(chatbotIds)]]);
    const found = new Map(rows.map((row) => [row.chatbotId, this.opened(row)]));
    return chatbotIds.map((id) => found.get(id) ?? null);
  }

  async of(organizationId: string, accountId: string | null): Promise<readonly InboxRecord[]> {
    if (accountId !== null && !isUuid(accountId)) return [];
    return (await rowsOf<Row>(this.pool, OF, [organizationId, accountId])).map((row) => this.opened(row));
  }

  async ofAccounts(organizationId: string, accountIds: readonly string[]): Promise<readonly InboxRecord[]> {
    const known = accountIds.filter(isUuid);
    return known.length === 0 ? [] : (await rowsOf<Row>(this.pool, OF_ACCOUNTS, [organizationId, known])).map((row) => this.opened(row));
  }

  /**
   * Seals inbox data that an earlier version stored as plain text. Any number of replicas may run it at the same time.
   */
  async sealAll(): Promise<number> {
    const plain = await rowsOf<{ id: string; providerData: unknown }>(this.pool, UNSEALED);
    for (const { id, providerData } of plain) await rowsOf(this.pool, SEAL, [id, this.sealedData(id, providerData)]);
    return plain.length;
  }

  private sealed(id: string, { providerData, ...plain }: Patch): Record<string, unknown> {
    return {
      ...Object.fromEntries(Object.entries(plain).map(([field, value]) => [field, JSON_FIELDS.includes(field) && value != null ? json(value) : value])),
      ...(providerData && { providerDataSealed: this.sealedData(id, providerData) }),
    };
  }

  private sealedData = (id: string, providerData: unknown): string => this.secretBox.seal(JSON.stringify(providerData), placeOf(id));

  private opened({ providerDataSealed, providerData, ...plain }: Row): InboxRecord {
    return {
      ...plain,
      providerData: providerDataSealed === null ? providerData : JSON.parse(this.secretBox.open(providerDataSealed, placeOf(plain.id))) as InboxRecord['providerData'],
    };
  }
}

const placeOf = (id: string): string => `inbox/${id}/provider_data`;

import type { Pool } from 'pg';
import { NotFoundError } from '../../core/errors';
import { isUuid } from '../../core/ids';
import type { AccountRecord, InboxRecord } from '../../core/setup';
import { INBOX, INBOX_FIELDS, findManyById } from '../postgres/records';
import type { SecretBox } from '../postgres/secret-box';
import { assignments, columns, firstOf, toJson, parameters, rowsOf, statement } from '../postgres/sql';

type Patch = Partial<
  Pick<
    InboxRecord,
    'name' | 'externalId' | 'providerData' | 'policy' | 'memberIds' | 'state' | 'problem' | 'reenabledAt'
  >
>;
type Row = InboxRecord & { readonly providerDataSealed: string | null };

const COLUMNS: readonly string[] = [...INBOX_FIELDS, 'providerDataSealed'];
const INBOX_WITH_DATA = `${INBOX}, i.provider_data as "providerData", i.provider_data_sealed as "providerDataSealed"`;
const BY_ID = statement('inbox', `select ${INBOX_WITH_DATA} from inbox i where i.organization_id = $1 and i.id = $2`);
const BY_ID_ANY_ORGANIZATION = statement('inbox_alone', `select ${INBOX_WITH_DATA} from inbox i where i.id = $1`);
const BY_IDS = statement(
  'inboxes',
  `select ${INBOX_WITH_DATA} from inbox i where i.organization_id = $1 and i.id = any($2::uuid[])`,
);
const BY_CHATBOTS = statement(
  'inboxes_by_chatbots',
  `select ${INBOX_WITH_DATA} from inbox i where i.organization_id = $1 and i.chatbot_id = any($2::text[])`,
);
const BY_ORGANIZATION = statement(
  'inboxes_of',
  `
  select ${INBOX_WITH_DATA} from inbox i where i.organization_id = $1 and ($2::uuid is null or i.account_id = $2) order by i.created_at, i.id`,
);
const BY_ACCOUNTS = statement(
  'inboxes_of_accounts',
  `
  select ${INBOX_WITH_DATA} from inbox i where i.organization_id = $1 and i.account_id = any($2::uuid[]) order by i.created_at, i.id`,
);
const INSERT = statement(
  'insert_inbox',
  `
  insert into inbox (${columns(COLUMNS)}) values (${parameters(COLUMNS)}) on conflict on constraint uq_inbox_chatbot do nothing`,
);
const UNSEALED = statement(
  'unsealed_inboxes',
  'select id, provider_data as "providerData" from inbox where provider_data is not null',
);
const SEAL = statement(
  'seal_inbox',
  `
  update inbox set provider_data_sealed = coalesce(provider_data_sealed, $2), provider_data = null where id = $1`,
);

const JSON_FIELDS = ['policy', 'memberIds', 'problem'];

const DISABLE = statement(
  'disable_inbox',
  `
  update inbox i set state = 'DISABLED', problem = null, disabled_count = i.disabled_count + 1 where i.id = $1 returning ${INBOX_WITH_DATA}`,
);

export class InboxTable {
  constructor(
    private readonly pool: Pool,
    private readonly secretBox: SecretBox,
  ) {}

  async insert(inbox: InboxRecord): Promise<InboxRecord> {
    const row = this.toRow(inbox.id, inbox);
    await rowsOf(
      this.pool,
      INSERT,
      COLUMNS.map(field => row[field] ?? null),
    );
    return (await this.findByChatbot(inbox.organizationId, inbox.chatbotId))!;
  }

  async update(id: string, patch: Patch): Promise<InboxRecord> {
    const changes = Object.entries(this.toRow(id, patch)).filter(
      ([field, value]) => value !== undefined && COLUMNS.includes(field),
    );
    const [row] = !isUuid(id)
      ? []
      : changes.length === 0
        ? await rowsOf<Row>(this.pool, BY_ID_ANY_ORGANIZATION, [id])
        : await rowsOf<Row>(
            this.pool,
            {
              text: `update inbox i set ${assignments(
                changes.map(([field]) => field),
                2,
              )} where i.id = $1 returning ${INBOX_WITH_DATA}`,
            },
            [id, ...changes.map(([, value]) => value)],
          );
    if (!row) throw new NotFoundError('INBOX_NOT_FOUND', 'inboxId', `There is no inbox ${id}.`);
    return this.fromRow(row);
  }

  /**
   * Records the result of a setup. It locks the account's row, so that a concurrent disable waits and then finds the
   * inbox in its new state.
   */
  async finishSetup(
    { id, disabledCount }: Pick<InboxRecord, 'id' | 'disabledCount'>,
    account: Pick<AccountRecord, 'id' | 'disabledCount'>,
    patch: Patch & Pick<InboxRecord, 'state'>,
  ): Promise<InboxRecord | null> {
    const changes = Object.entries(this.toRow(id, patch)).filter(
      ([field, value]) => value !== undefined && COLUMNS.includes(field),
    );
    const row = await firstOf<Row>(
      this.pool,
      {
        text: `
      update inbox i set ${assignments(
        changes.map(([field]) => field),
        5,
      )}
      from (select id from support_account where id = $3 and disabled_count = $4 and state <> 'DISABLED' for share) a
      where i.id = $1 and i.disabled_count = $2 and i.account_id = a.id
      returning ${INBOX_WITH_DATA}`,
      },
      [id, disabledCount, account.id, account.disabledCount, ...changes.map(([, value]) => value)],
    );
    return row && this.fromRow(row);
  }

  async disable(id: string): Promise<InboxRecord> {
    const row = isUuid(id) ? await firstOf<Row>(this.pool, DISABLE, [id]) : null;
    if (!row) throw new NotFoundError('INBOX_NOT_FOUND', 'inboxId', `There is no inbox ${id}.`);
    return this.fromRow(row);
  }

  async get(organizationId: string, id: string): Promise<InboxRecord | null> {
    const row = isUuid(id) ? await firstOf<Row>(this.pool, BY_ID, [organizationId, id]) : null;
    return row && this.fromRow(row);
  }

  async findByChatbot(organizationId: string, chatbotId: string): Promise<InboxRecord | null> {
    const row = await firstOf<Row>(this.pool, BY_CHATBOTS, [organizationId, [chatbotId]]);
    return row && this.fromRow(row);
  }

  async findByIds(organizationId: string, ids: readonly string[]): Promise<readonly (InboxRecord | null)[]> {
    return (await findManyById<Row>(this.pool, BY_IDS, organizationId, ids)).map(row => row && this.fromRow(row));
  }

  async findByChatbots(
    organizationId: string,
    chatbotIds: readonly string[],
  ): Promise<readonly (InboxRecord | null)[]> {
    if (chatbotIds.length === 0) return [];
    const rows = await rowsOf<Row>(this.pool, BY_CHATBOTS, [organizationId, [...new Set(chatbotIds)]]);
    const found = new Map(rows.map(row => [row.chatbotId, this.fromRow(row)]));
    return chatbotIds.map(id => found.get(id) ?? null);
  }

  async listByOrganization(organizationId: string, accountId: string | null): Promise<readonly InboxRecord[]> {
    if (accountId !== null && !isUuid(accountId)) return [];
    return (await rowsOf<Row>(this.pool, BY_ORGANIZATION, [organizationId, accountId])).map(row => this.fromRow(row));
  }

  async listByAccounts(organizationId: string, accountIds: readonly string[]): Promise<readonly InboxRecord[]> {
    const known = accountIds.filter(isUuid);
    return known.length === 0
      ? []
      : (await rowsOf<Row>(this.pool, BY_ACCOUNTS, [organizationId, known])).map(row => this.fromRow(row));
  }

  /**
   * Seals inbox data that an earlier version stored as plain text. Any number of replicas may run it at the same time.
   */
  async sealAll(): Promise<number> {
    const plain = await rowsOf<{ id: string; providerData: unknown }>(this.pool, UNSEALED);
    for (const { id, providerData } of plain)
      await rowsOf(this.pool, SEAL, [id, this.sealProviderData(id, providerData)]);
    return plain.length;
  }

  private toRow(id: string, { providerData, ...plain }: Patch): Record<string, unknown> {
    return {
      ...Object.fromEntries(
        Object.entries(plain).map(([field, value]) => [
          field,
          JSON_FIELDS.includes(field) && value != null ? toJson(value) : value,
        ]),
      ),
      ...(providerData && { providerDataSealed: this.sealProviderData(id, providerData) }),
    };
  }

  private sealProviderData = (id: string, providerData: unknown): string =>
    this.secretBox.seal(JSON.stringify(providerData), sealPlaceOf(id));

  private fromRow({ providerDataSealed, providerData, ...plain }: Row): InboxRecord {
    return {
      ...plain,
      providerData:
        providerDataSealed === null
          ? providerData
          : (JSON.parse(this.secretBox.open(providerDataSealed, sealPlaceOf(plain.id))) as InboxRecord['providerData']),
    };
  }
}

const sealPlaceOf = (id: string): string => `inbox/${id}/provider_data`;

import type { Pool } from 'pg';
import { NotFoundError } from '../../core/errors';
import { isUuid } from '../../core/ids';
import type { AccountRecord, InboxRecord } from '../../core/setup';
import { InboxRow } from '../entities/inbox';
import { changesOf, fieldsOf, valuesOf } from '../postgres/entity-columns';
import { findManyById } from '../postgres/records';
import type { SecretBox } from '../postgres/secret-box';
import { assignments, columns, firstOf, parameters, rowsOf, selectList, statement } from '../postgres/sql';

type Patch = Partial<
  Pick<
    InboxRecord,
    'name' | 'externalId' | 'providerData' | 'policy' | 'memberIds' | 'state' | 'problem' | 'reenabledAt'
  >
>;
type Row = Omit<InboxRecord, 'providerData'> & { readonly providerDataSealed: string };

const FIELDS = fieldsOf<Row>()(InboxRow);
const INBOX = selectList('i', FIELDS);
export { FIELDS as INBOX_FIELDS, type Row as InboxColumns };
const BY_ID = statement('inbox', `select ${INBOX} from inbox i where i.organization_id = $1 and i.id = $2`);
const BY_ID_ANY_ORGANIZATION = statement('inbox_alone', `select ${INBOX} from inbox i where i.id = $1`);
const BY_IDS = statement(
  'inboxes',
  `select ${INBOX} from inbox i where i.organization_id = $1 and i.id = any($2::uuid[])`,
);
const BY_CHATBOTS = statement(
  'inboxes_by_chatbots',
  `select ${INBOX} from inbox i where i.organization_id = $1 and i.chatbot_id = any($2::text[])`,
);
const BY_ORGANIZATION = statement(
  'inboxes_of',
  `
  select ${INBOX} from inbox i where i.organization_id = $1 and ($2::uuid is null or i.account_id = $2) order by i.created_at, i.id`,
);
const BY_ACCOUNTS = statement(
  'inboxes_of_accounts',
  `
  select ${INBOX} from inbox i where i.organization_id = $1 and i.account_id = any($2::uuid[]) order by i.created_at, i.id`,
);
const INSERT = statement(
  'insert_inbox',
  `
  insert into inbox (${columns(FIELDS)}) values (${parameters(FIELDS)}) on conflict on constraint uq_inbox_chatbot do nothing`,
);

const DISABLE = statement(
  'disable_inbox',
  `
  update inbox i set state = 'DISABLED', problem = null, disabled_count = i.disabled_count + 1 where i.id = $1 returning ${INBOX}`,
);

export class InboxTable {
  constructor(
    private readonly pool: Pool,
    private readonly secretBox: SecretBox,
  ) {}

  async insert(inbox: InboxRecord): Promise<InboxRecord> {
    await rowsOf(this.pool, INSERT, valuesOf(InboxRow, this.toRow(inbox.id, inbox), FIELDS));
    return (await this.findByChatbot(inbox.organizationId, inbox.chatbotId))!;
  }

  async update(id: string, patch: Patch): Promise<InboxRecord> {
    const changes = changesOf(InboxRow, this.toRow(id, patch), FIELDS);
    const [row] = !isUuid(id)
      ? []
      : changes.size === 0
        ? await rowsOf<Row>(this.pool, BY_ID_ANY_ORGANIZATION, [id])
        : await rowsOf<Row>(
            this.pool,
            {
              text: `update inbox i set ${assignments([...changes.keys()], 2)} where i.id = $1 returning ${INBOX}`,
            },
            [id, ...changes.values()],
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
    const changes = changesOf(InboxRow, this.toRow(id, patch), FIELDS);
    const row = await firstOf<Row>(
      this.pool,
      {
        text: `
      update inbox i set ${assignments([...changes.keys()], 5)}
      from (select id from support_account where id = $3 and disabled_count = $4 and state <> 'DISABLED' for share) a
      where i.id = $1 and i.disabled_count = $2 and i.account_id = a.id
      returning ${INBOX}`,
      },
      [id, disabledCount, account.id, account.disabledCount, ...changes.values()],
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

  private toRow(id: string, { providerData, ...plain }: Patch): Record<string, unknown> {
    return {
      ...plain,
      ...(providerData && {
        providerDataSealed: this.secretBox.seal(JSON.stringify(providerData), sealPlaceOf(id)),
      }),
    };
  }

  fromRow({ providerDataSealed, ...plain }: Row): InboxRecord {
    const providerData = this.secretBox.open(providerDataSealed, sealPlaceOf(plain.id));
    return { ...plain, providerData: JSON.parse(providerData) as InboxRecord['providerData'] };
  }
}

const sealPlaceOf = (id: string): string => `inbox/${id}/provider_data`;

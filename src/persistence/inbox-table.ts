import type { Pool } from 'pg';
import { NotFoundError } from '../core/errors';
import { isUuid } from '../core/ids';
import type { InboxRecord } from '../core/setup';
import { INBOX, INBOX_FIELDS, manyById } from './records';
import { assigned, columns, firstOf, json, parameters, rowsOf, statement } from './sql';

type Patch = Partial<Pick<InboxRecord, 'name' | 'externalId' | 'providerData' | 'policy' | 'state' | 'problem'>>;

const BY_ID = statement('inbox', `select ${INBOX} from inbox i where i.organization_id = $1 and i.id = $2`);
const BY_ID_ALONE = statement('inbox_alone', `select ${INBOX} from inbox i where i.id = $1`);
const BY_IDS = statement('inboxes', `select ${INBOX} from inbox i where i.organization_id = $1 and i.id = any($2::uuid[])`);
const BY_CHATBOTS = statement('inboxes_by_chatbots', `select ${INBOX} from inbox i where i.organization_id = $1 and i.chatbot_id = any($2::text[])`);
const OF = statement('inboxes_of', `
  select ${INBOX} from inbox i where i.organization_id = $1 and ($2::uuid is null or i.account_id = $2) order by i.created_at, i.id`);
const INSERT = statement('insert_inbox', `
  insert into inbox (${columns(INBOX_FIELDS)}) values (${parameters(INBOX_FIELDS)}) on conflict on constraint uq_inbox_chatbot do nothing`);

const JSON_FIELDS = ['providerData', 'policy', 'problem'];
const valueOf = (field: string, value: unknown): unknown => (JSON_FIELDS.includes(field) && value != null ? json(value) : value ?? null);

export class InboxTable {
  constructor(private readonly pool: Pool) {}

  async insert(inbox: InboxRecord): Promise<InboxRecord> {
    await rowsOf(this.pool, INSERT, INBOX_FIELDS.map((field) => valueOf(field, inbox[field])));
    return (await this.ofChatbot(inbox.organizationId, inbox.chatbotId))!;
  }

  async update(id: string, patch: Patch): Promise<InboxRecord> {
    const changes = Object.entries(patch).filter(([field, value]) => value !== undefined && (INBOX_FIELDS as readonly string[]).includes(field));
    const [row] = !isUuid(id) ? []
      : changes.length === 0 ? await rowsOf<InboxRecord>(this.pool, BY_ID_ALONE, [id])
      : await rowsOf<InboxRecord>(this.pool, { text: `update inbox i set ${assigned(changes.map(([field]) => field), 2)} where i.id = $1 returning ${INBOX}` },
          [id, ...changes.map(([field, value]) => valueOf(field, value))]);
    if (!row) throw new NotFoundError('INBOX_NOT_FOUND', 'inboxId', `There is no inbox ${id}.`);
    return row;
  }

  async get(organizationId: string, id: string): Promise<InboxRecord | null> {
    return isUuid(id) ? firstOf(this.pool, BY_ID, [organizationId, id]) : null;
  }

  async ofChatbot(organizationId: string, chatbotId: string): Promise<InboxRecord | null> {
    return firstOf(this.pool, BY_CHATBOTS, [organizationId, [chatbotId]]);
  }

  byIds(organizationId: string, ids: readonly string[]): Promise<readonly (InboxRecord | null)[]> {
    return manyById<InboxRecord>(this.pool, BY_IDS, organizationId, ids);
  }

  async byChatbots(organizationId: string, chatbotIds: readonly string[]): Promise<readonly (InboxRecord | null)[]> {
    if (chatbotIds.length === 0) return [];
    const rows = await rowsOf<InboxRecord>(this.pool, BY_CHATBOTS, [organizationId, [...new Set(chatbotIds)]]);
    const found = new Map(rows.map((inbox) => [inbox.chatbotId, inbox]));
    return chatbotIds.map((id) => found.get(id) ?? null);
  }

  async of(organizationId: string, accountId: string | null): Promise<readonly InboxRecord[]> {
    return accountId !== null && !isUuid(accountId) ? [] : rowsOf(this.pool, OF, [organizationId, accountId]);
  }
}

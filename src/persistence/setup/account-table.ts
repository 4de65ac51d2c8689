import { createHash, timingSafeEqual } from 'node:crypto';
import type { Pool } from 'pg';
import { NotFoundError } from '../../core/errors';
import { isUuid } from '../../core/ids';
import type { Clock } from '../../core/ports/clock';
import type { AccountHealth, AccountRecord, WebhookRotation } from '../../core/setup';
import { AccountRow } from '../entities/account';
import { changesOf, fieldsOf, valuesOf } from '../postgres/entity-columns';
import { findManyById } from '../postgres/records';
import type { SecretBox } from '../postgres/secret-box';
import {
  assignments,
  columns,
  firstOf,
  inTransaction,
  toJson,
  parameters,
  rowsOf,
  selectList,
  statement,
} from '../postgres/sql';

type Row = Omit<AccountRecord, 'credentials' | 'webhookSecret'> & {
  readonly credentialsSealed: string;
  readonly webhookSecretSealed: string;
  readonly webhookSecretHash: Buffer;
  readonly previousWebhookHashes: readonly Buffer[];
};
type Patch = Partial<Omit<AccountRecord, 'id' | 'organizationId' | 'provider' | 'disabledCount'>>;

const FIELDS = fieldsOf<Row>()(AccountRow, 'nextCheckAt');
const ACCOUNT = selectList('a', FIELDS);
export { FIELDS as ACCOUNT_FIELDS, type Row as AccountColumns };

const BY_ID = statement(
  'account',
  `select ${ACCOUNT} from support_account a where a.organization_id = $1 and a.id = $2`,
);
const BY_IDS = statement(
  'accounts',
  `select ${ACCOUNT} from support_account a where a.organization_id = $1 and a.id = any($2::uuid[])`,
);
const BY_ID_ANY_ORGANIZATION = statement(
  'account_for_webhook',
  `select ${ACCOUNT} from support_account a where a.id = $1`,
);
const BY_PROVIDER = statement(
  'account_by_provider',
  `select ${ACCOUNT} from support_account a where a.organization_id = $1 and a.provider = $2`,
);
const OF_ORGANIZATION = statement(
  'accounts_of',
  `select ${ACCOUNT} from support_account a where a.organization_id = $1 order by a.created_at, a.id`,
);
const INSERT = statement(
  'insert_account',
  `
  insert into support_account (${columns(FIELDS)}) values (${parameters(FIELDS)})
  on conflict on constraint uq_account_provider do nothing`,
);

const SCHEDULE_CHECK = statement(
  'schedule_check',
  "update support_account set next_check_at = now() + $2 * interval '1 ms' where id = $1",
);
const CLAIM_CHECKS = statement(
  'claim_checks',
  `
  with due as materialized (
    select id from support_account where next_check_at <= now() and state = 'READY' order by next_check_at limit $1 for no key update skip locked
  )
  update support_account a set next_check_at = now() + $2 * interval '1 ms' from due where a.id = due.id returning ${ACCOUNT}`,
);
const OF_SESSION =
  'a.organization_id = $1 and a.id = (select i.account_id from session s join inbox i on i.id = s.inbox_id where s.id = $2)';
const MARK_HEALTH = statement('mark_health', `update support_account a set health = $3 where ${OF_SESSION}`);
const MARK_RECOVERED = statement(
  'mark_recovered',
  `
  update support_account a set health = $3, next_check_at = least(a.next_check_at, now())
  where ${OF_SESSION} and a.health->>'state' = 'UNAUTHORIZED' and a.health->>'source' = $4 returning 1`,
);
const ANY_UNAUTHORIZED = statement(
  'any_unauthorized',
  "select 1 from support_account where health->>'state' = 'UNAUTHORIZED' and state = 'READY' limit 1",
);

const DISABLE = statement(
  'disable_account',
  `
  update support_account a set state = 'DISABLED', problem = null, disabled_count = a.disabled_count + 1, next_check_at = null where a.id = $1 returning ${ACCOUNT}`,
);
const DISABLE_INBOXES = statement(
  'disable_inboxes_of',
  `
  update inbox set state = 'DISABLED', problem = $2, disabled_count = disabled_count + 1 where account_id = $1 and state <> 'DISABLED'`,
);

// `$5`: whether the secrets before the current one are no longer accepted.
const ROTATE = statement(
  'rotate_webhook_secret',
  `
  update support_account a set webhook_secret_sealed = $2, webhook_secret_hash = $3, webhook_rotation = $4,
    previous_webhook_hashes = (array_prepend(a.webhook_secret_hash, case when $5 then '{}' else a.previous_webhook_hashes end))[1:4]
  where a.id = $1 returning ${ACCOUNT}`,
);

export class AccountTable {
  constructor(
    private readonly pool: Pool,
    private readonly secretBox: SecretBox,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  async insert(account: AccountRecord): Promise<AccountRecord> {
    const row = { ...this.toRow(account.id, account), previousWebhookHashes: [] as readonly Buffer[] };
    await rowsOf(this.pool, INSERT, valuesOf(AccountRow, row, FIELDS));
    return this.fromRow((await firstOf<Row>(this.pool, BY_PROVIDER, [account.organizationId, account.provider]))!);
  }

  async update(id: string, patch: Patch): Promise<AccountRecord> {
    const changes = changesOf(AccountRow, this.toRow(id, patch), FIELDS);
    const [row] = !isUuid(id)
      ? []
      : changes.size === 0
        ? await rowsOf<Row>(this.pool, BY_ID_ANY_ORGANIZATION, [id])
        : await rowsOf<Row>(
            this.pool,
            {
              text: `update support_account a set ${assignments(
                [...changes.keys()],
                2,
              )} where a.id = $1 returning ${ACCOUNT}`,
            },
            [id, ...changes.values()],
          );
    if (!row) throw new NotFoundError('ACCOUNT_NOT_FOUND', 'accountId', `There is no support account ${id}.`);
    return this.fromRow(row);
  }

  async finishSetup(
    { id, disabledCount }: Pick<AccountRecord, 'id' | 'disabledCount'>,
    patch: Patch & Pick<AccountRecord, 'state'>,
  ): Promise<AccountRecord | null> {
    const changes = changesOf(AccountRow, this.toRow(id, patch), FIELDS);
    const row = await firstOf<Row>(
      this.pool,
      {
        text: `update support_account a set ${assignments(
          [...changes.keys()],
          3,
        )} where a.id = $1 and a.disabled_count = $2 returning ${ACCOUNT}`,
      },
      [id, disabledCount, ...changes.values()],
    );
    return row && this.fromRow(row);
  }

  /**
   * Disables the account before its inboxes, in the lock order of `conclude` of an inbox. When the inboxes are
   * updated, nothing can enable one of them any more.
   */
  async disable(id: string, problemOfInboxes: AccountRecord['problem']): Promise<AccountRecord> {
    const row = await inTransaction(this.pool, async client => {
      const disabled = isUuid(id) ? await firstOf<Row>(client, DISABLE, [id]) : null;
      if (disabled !== null) await rowsOf(client, DISABLE_INBOXES, [id, toJson(problemOfInboxes)]);
      return disabled;
    });
    if (!row) throw new NotFoundError('ACCOUNT_NOT_FOUND', 'accountId', `There is no support account ${id}.`);
    return this.fromRow(row);
  }

  async get(organizationId: string, id: string): Promise<AccountRecord | null> {
    const row = isUuid(id) ? await firstOf<Row>(this.pool, BY_ID, [organizationId, id]) : null;
    return row && this.fromRow(row);
  }

  /**
   * Finds an account by its webhook secret. Compares digests in constant time, and takes as long for an unknown
   * account.
   */
  async findForWebhook(id: string, secret: string): Promise<AccountRecord | null> {
    const row = isUuid(id) ? await firstOf<Row>(this.pool, BY_ID_ANY_ORGANIZATION, [id]) : null;
    const given = digestOf(secret);
    const accepted = row
      ? [row.webhookSecretHash, ...(this.acceptsPrevious(row) ? row.previousWebhookHashes : [])]
      : [digestOf('')];
    const isTheirs = accepted.map(hash => timingSafeEqual(given, hash)).includes(true);
    return row && isTheirs ? this.fromRow(row) : null;
  }

  private acceptsPrevious({ webhookRotation }: Pick<Row, 'webhookRotation'>): boolean {
    const until = webhookRotation?.previousValidUntil ?? null;
    return until === null || Date.parse(until) > this.clock.now();
  }

  async rotateWebhookSecret(id: string, secret: string, rotation: WebhookRotation): Promise<AccountRecord> {
    const known = isUuid(id) ? await firstOf<Row>(this.pool, BY_ID_ANY_ORGANIZATION, [id]) : null;
    const row =
      known &&
      (await firstOf<Row>(this.pool, ROTATE, [
        id,
        this.secretBox.seal(secret, sealPlaceOf(id, 'webhook_secret')),
        digestOf(secret),
        toJson(rotation),
        !this.acceptsPrevious(known),
      ]));
    if (!row) throw new NotFoundError('ACCOUNT_NOT_FOUND', 'accountId', `There is no support account ${id}.`);
    return this.fromRow(row);
  }

  async listByOrganization(organizationId: string): Promise<readonly AccountRecord[]> {
    return (await rowsOf<Row>(this.pool, OF_ORGANIZATION, [organizationId])).map(row => this.fromRow(row));
  }

  async findByIds(organizationId: string, ids: readonly string[]): Promise<readonly (AccountRecord | null)[]> {
    return (await findManyById<Row>(this.pool, BY_IDS, organizationId, ids)).map(row => row && this.fromRow(row));
  }

  async scheduleCheck(id: string, afterMs: number | null): Promise<void> {
    await rowsOf(this.pool, SCHEDULE_CHECK, [id, afterMs]);
  }

  async claimChecks(limit: number, everyMs: number): Promise<readonly AccountRecord[]> {
    return (await rowsOf<Row>(this.pool, CLAIM_CHECKS, [limit, everyMs])).map(row => this.fromRow(row));
  }

  async markHealth(organizationId: string, sessionId: string, health: AccountHealth): Promise<void> {
    await rowsOf(this.pool, MARK_HEALTH, [organizationId, sessionId, toJson(health)]);
  }

  async markRecovered(
    organizationId: string,
    sessionId: string,
    source: AccountHealth['source'],
    checkedAt: string,
  ): Promise<boolean> {
    const health: AccountHealth = { state: 'HEALTHY', problem: null, checkedAt, source: source };
    return (await firstOf(this.pool, MARK_RECOVERED, [organizationId, sessionId, toJson(health), source])) !== null;
  }

  async hasUnauthorized(): Promise<boolean> {
    return (await firstOf(this.pool, ANY_UNAUTHORIZED)) !== null;
  }

  private toRow(id: string, { credentials, webhookSecret, ...plain }: Patch): Record<string, unknown> {
    return {
      ...plain,
      ...(credentials && {
        credentialsSealed: this.secretBox.seal(JSON.stringify(credentials), sealPlaceOf(id, 'credentials')),
      }),
      ...(webhookSecret !== undefined && {
        webhookSecretSealed: this.secretBox.seal(webhookSecret, sealPlaceOf(id, 'webhook_secret')),
        webhookSecretHash: digestOf(webhookSecret),
      }),
    };
  }

  fromRow({
    credentialsSealed,
    webhookSecretSealed,
    webhookSecretHash: _,
    previousWebhookHashes: __,
    ...plain
  }: Row): AccountRecord {
    return {
      ...plain,
      credentials: JSON.parse(this.secretBox.open(credentialsSealed, sealPlaceOf(plain.id, 'credentials'))) as Record<
        string,
        string
      >,
      webhookSecret: this.secretBox.open(webhookSecretSealed, sealPlaceOf(plain.id, 'webhook_secret')),
    };
  }
}

const sealPlaceOf = (id: string, column: string): string => `support_account/${id}/${column}`;
const digestOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

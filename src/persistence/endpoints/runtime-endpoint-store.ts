import type { Pool, PoolClient } from 'pg';
import { ConflictError } from '../../core/errors';
import { isUuid } from '../../core/ids';
import type { Clock } from '../../core/ports/clock';
import type { EndpointFailure, RuntimeEndpointStore } from '../../core/ports/runtime-endpoint-store';
import type { RuntimeEndpoint, SigningEndpoint } from '../../core/runtime-endpoint';
import { rerouteRuntimeLanes } from './reroute-lanes';
import { RuntimeEndpointRow } from '../entities/runtime-endpoint';
import { fieldsOf } from '../postgres/entity-columns';
import type { SecretBox } from '../postgres/secret-box';
import { firstOf, inTransaction, rowsOf, selectList, statement } from '../postgres/sql';
import { retryConflicts } from '../postgres/retry-conflicts';

const FIELDS = fieldsOf<RuntimeEndpoint>()(
  RuntimeEndpointRow,
  'secretSealed',
  'previousSecrets',
  'areLanesCurrent',
  'reroutePosition',
);
const ENDPOINT = selectList('e', FIELDS);
const BY_ID = "e.organization_id = $1 and e.id = $2 and e.state <> 'REMOVED'";

const INSERT = statement(
  'insert_endpoint',
  `
  insert into runtime_endpoint as e (id, organization_id, chatbot_id, url, secret_sealed, state, created_at) values ($1, $2, $3, $4, $5, 'UNVERIFIED', $6)
  returning ${ENDPOINT}`,
);
const BY_ORGANIZATION = statement(
  'endpoints_of',
  `
  select ${ENDPOINT} from runtime_endpoint e where e.organization_id = $1 and e.state <> 'REMOVED' order by e.chatbot_id nulls first, e.id`,
);
const GET = statement(
  'endpoint',
  `
  select ${ENDPOINT}, e.secret_sealed as "secretSealed", e.previous_secrets as "previousSealed" from runtime_endpoint e where ${BY_ID}`,
);
const MAX_PREVIOUS_SECRETS = 4;
const ROTATE = statement(
  'rotate_endpoint_secret',
  `
  update runtime_endpoint e set secret_sealed = $3, previous_secret_expires_at = $4::text::timestamptz, previous_secrets = (
    select jsonb_agg(jsonb_build_object('sealed', sealed, 'expiresAt', expires_at) order by age) from (
      select 0 as age, e.secret_sealed as sealed, $4::text as expires_at
      union all
      select age, old ->> 'sealed', least(old ->> 'expiresAt', $4::text) from jsonb_array_elements(e.previous_secrets) with ordinality as previous (old, age) where age < ${MAX_PREVIOUS_SECRETS}
    ) kept)
  where ${BY_ID} returning ${ENDPOINT}`,
);
const ACTIVATE = statement(
  'activate_endpoint',
  `
  update runtime_endpoint e set state = 'ACTIVE', disabled_reason = null, disabled_at = null, first_failure_at = null, verified_at = $3,
    are_lanes_current = false, reroute_position = null
  where ${BY_ID} returning ${ENDPOINT}`,
);
const MAKE_DUE = statement(
  'make_lanes_of_endpoint_due',
  `
  with mine as materialized (
    select session_id from lane where destination = 'RUNTIME' and remote_id = $1 and next_run_at > now() and not is_claimed order by session_id for no key update
  )
  update lane l set next_run_at = now() from mine where l.session_id = mine.session_id and l.destination = 'RUNTIME'`,
);
// Failures from before show nothing about the endpoint's current state.
const RESET_ATTEMPTS = statement(
  'reset_attempts',
  `
  with tried as materialized (
    select id from delivery
    where organization_id = $1 and destination = 'RUNTIME' and state = 'WAITING' and attempts > 0 and ($2::text is null or chatbot_id = $2) order by id for no key update
  )
  update delivery d set attempts = 0 from tried where d.id = tried.id`,
);
const DISABLE = statement(
  'disable_endpoint',
  `
  update runtime_endpoint e set state = 'DISABLED',
    disabled_reason = case when e.state = 'DISABLED' then e.disabled_reason else $3 end, disabled_at = case when e.state = 'DISABLED' then e.disabled_at else $4 end
  where ${BY_ID} returning ${ENDPOINT}`,
);
const REMOVE = statement(
  'remove_endpoint',
  `
  update runtime_endpoint e set state = 'REMOVED', are_lanes_current = false, reroute_position = null where ${BY_ID} returning 1`,
);
const RECORD_FAILURE = statement(
  'endpoint_failed',
  `
  update runtime_endpoint e set
    first_failure_at = case when e.last_failure_at > $3::timestamptz - interval '2 days' then coalesce(e.first_failure_at, $3) else $3 end,
    last_failure_at = $3, last_failure_code = $4, last_failure_status = $5
  where ${BY_ID} returning ${ENDPOINT}`,
);
const RECORD_RECOVERY = statement(
  'endpoint_recovered',
  `
  with failing as (
    select e.id, e.first_failure_at from runtime_endpoint e where ${BY_ID} and e.first_failure_at is not null for no key update
  )
  update runtime_endpoint e set first_failure_at = null from failing where e.id = failing.id returning e.id, failing.first_failure_at <= $3 as "wasAway"`,
);

type Row = RuntimeEndpoint & {
  readonly secretSealed: string;
  readonly previousSealed: readonly { readonly sealed: string; readonly expiresAt: string }[];
};

export class PostgresRuntimeEndpointStore implements RuntimeEndpointStore {
  constructor(
    private readonly pool: Pool,
    private readonly secretBox: SecretBox,
    private readonly clock: Pick<Clock, 'random'>,
  ) {}

  async insert({ id, organizationId, chatbotId, url, secret, createdAt }: SigningEndpoint): Promise<RuntimeEndpoint> {
    try {
      return (await firstOf<RuntimeEndpoint>(this.pool, INSERT, [
        id,
        organizationId,
        chatbotId,
        url,
        this.secretBox.seal(secret, sealPlaceOf(id)),
        createdAt,
      ]))!;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      throw new ConflictError(
        'ENDPOINT_EXISTS',
        'chatbotId',
        chatbotId === null
          ? 'The organization already has an endpoint for all its chatbots. Remove it first, or rotate its secret if that was lost.'
          : `Chatbot ${chatbotId} already has an endpoint. Remove it first, or rotate its secret if that was lost.`,
      );
    }
  }

  listByOrganization(organizationId: string): Promise<readonly RuntimeEndpoint[]> {
    return rowsOf(this.pool, BY_ORGANIZATION, [organizationId]);
  }

  async get(organizationId: string, id: string): Promise<SigningEndpoint | null> {
    const row = await this.runForEndpoint<Row>(GET, organizationId, id);
    if (row === null) return null;
    const { secretSealed, previousSealed, ...endpoint } = row;
    const open = (sealed: string): string => this.secretBox.open(sealed, sealPlaceOf(endpoint.id));
    return {
      ...endpoint,
      secret: open(secretSealed),
      previousSecrets: previousSealed.map(({ sealed, expiresAt }) => ({ secret: open(sealed), expiresAt })),
    };
  }

  rotateSecret(organizationId: string, id: string, secret: string, expiresAt: string): Promise<RuntimeEndpoint | null> {
    return this.runForEndpoint(
      ROTATE,
      organizationId,
      id,
      this.secretBox.seal(secret, sealPlaceOf(id.toLowerCase())),
      expiresAt,
    );
  }

  async activate(organizationId: string, id: string, at: string): Promise<RuntimeEndpoint | null> {
    if (!isUuid(id)) return null;
    return this.inTransaction(async client => {
      const endpoint = await firstOf<RuntimeEndpoint>(client, ACTIVATE, [organizationId, id, at]);
      if (endpoint === null) return null;
      await rowsOf(client, MAKE_DUE, [endpoint.id]);
      await rowsOf(client, RESET_ATTEMPTS, [organizationId, endpoint.chatbotId]);
      return endpoint;
    });
  }

  disable(organizationId: string, id: string, reason: string, at: string): Promise<RuntimeEndpoint | null> {
    return this.runForEndpoint(DISABLE, organizationId, id, reason, at);
  }

  async remove(organizationId: string, id: string): Promise<boolean> {
    return (await this.runForEndpoint(REMOVE, organizationId, id)) !== null;
  }

  recordFailure(
    organizationId: string,
    id: string,
    { at, code, status }: EndpointFailure,
  ): Promise<RuntimeEndpoint | null> {
    return this.runForEndpoint(RECORD_FAILURE, organizationId, id, at, code, status);
  }

  async recordRecovery(organizationId: string, id: string, outageStartedAt: string): Promise<void> {
    if (!isUuid(id)) return;
    await this.inTransaction(async client => {
      const recovered = await firstOf<{ id: string; wasAway: boolean }>(client, RECORD_RECOVERY, [
        organizationId,
        id,
        outageStartedAt,
      ]);
      if (recovered?.wasAway) await rowsOf(client, MAKE_DUE, [recovered.id]);
    });
  }

  rerouteLanes(): Promise<boolean> {
    return rerouteRuntimeLanes(this.pool);
  }

  private inTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return retryConflicts(
      () => inTransaction(this.pool, work),
      () => this.clock.random(),
    );
  }

  private async runForEndpoint<R extends object>(
    sql: typeof GET,
    organizationId: string,
    id: string,
    ...values: unknown[]
  ): Promise<R | null> {
    return isUuid(id) ? firstOf<R>(this.pool, sql, [organizationId, id, ...values]) : null;
  }
}

/**
 * The seal's place of a secret. It is the same for all its columns, because a rotation moves a sealed secret unchanged.
 */
const sealPlaceOf = (id: string): string => `runtime_endpoint/${id}/secret`;

const isDuplicate = (error: unknown): boolean =>
  ['uq_runtime_endpoint_chatbot', 'uq_runtime_endpoint_all'].includes(
    (error as { constraint?: string }).constraint ?? '',
  );

import type { PoolClient } from 'pg';
import { NotFoundError } from '../../core/errors';
import type { HandoffRecord } from '../../core/handoff';
import { isUuid, type HandoffId, type ProviderMessageId } from '../../core/ids';
import type { Clock } from '../../core/ports/clock';
import type { HandoffRows } from '../../core/ports/session-transaction';
import { HandoffRow } from '../entities/handoff';
import { valuesOf } from '../postgres/entity-columns';
import { HANDOFF, HANDOFF_FIELDS, handoffColumns, handoffOf, type HandoffColumns } from '../postgres/records';
import { assignments, columns, parameters, statement } from '../postgres/sql';
import { MessageTransaction } from './message-transaction';
import type { LockedSession } from './pipelined-transaction';

const FIXED_FIELDS: readonly string[] = ['id', 'organizationId', 'sessionId'];
const MUTABLE_HANDOFF_FIELDS = HANDOFF_FIELDS.filter(field => !FIXED_FIELDS.includes(field));
const LAST_HANDOFF = statement(
  'tx_last_handoff',
  `select ${HANDOFF} from handoff h where h.session_id = $1 order by h.requested_at desc, h.id desc limit 1`,
);
const HANDOFF_OF_SURVEY = statement(
  'tx_handoff_of_survey',
  `select ${HANDOFF} from handoff h where h.session_id = $1 and h.survey->>'externalId' = $2`,
);
const HANDOFF_BY_ID = statement('tx_handoff', `select ${HANDOFF} from handoff h where h.session_id = $1 and h.id = $2`);
const INSERT_HANDOFF = statement(
  'tx_insert_handoff',
  `insert into handoff (${columns(HANDOFF_FIELDS)}, chatbot_id) values (${parameters(HANDOFF_FIELDS)}, $${HANDOFF_FIELDS.length + 1})`,
);
const UPDATE_HANDOFF = statement(
  'tx_update_handoff',
  `update handoff set ${assignments(MUTABLE_HANDOFF_FIELDS, 2)} where id = $1`,
);

/** The handoffs of a session's transaction. */
export abstract class HandoffTransaction extends MessageTransaction implements HandoffRows {
  private readonly handoffs = new Map<string, HandoffRecord>();

  constructor(client: PoolClient, locked: LockedSession, clock: Clock) {
    super(client, locked, clock);
    if (locked.live !== null) this.handoffs.set(locked.live.id, locked.live);
  }

  get liveHandoff(): HandoffRecord | null {
    return this.handoffs.get(this.current.liveHandoffId ?? '') ?? null;
  }

  async findHandoff(id: HandoffId): Promise<HandoffRecord | null> {
    const known = this.handoffs.get(id);
    if (known !== undefined || !isUuid(id)) return known ?? null;
    const [row] = await this.read<HandoffColumns>(HANDOFF_BY_ID, [this.current.id, id]);
    if (row === undefined) return null;
    const handoff = handoffOf(row);
    this.handoffs.set(handoff.id, handoff);
    return handoff;
  }

  async findLastHandoff(): Promise<HandoffRecord | null> {
    const [row] = await this.read<HandoffColumns>(LAST_HANDOFF, [this.current.id]);
    return row === undefined ? null : this.findHandoff(row.id);
  }

  async findHandoffOfSurvey(surveyId: ProviderMessageId): Promise<HandoffRecord | null> {
    const [row] = await this.read<HandoffColumns>(HANDOFF_OF_SURVEY, [this.current.id, surveyId]);
    return row === undefined ? null : this.findHandoff(row.id);
  }

  async insertHandoff(given: Omit<HandoffRecord, 'organizationId' | 'sessionId' | 'survey'>): Promise<HandoffRecord> {
    const { id: sessionId, organizationId, chatbotId } = this.current;
    const record: HandoffRecord = { survey: null, ...given, organizationId, sessionId };
    this.handoffs.set(record.id, record);
    this.write(INSERT_HANDOFF, [...valuesOf(HandoffRow, handoffColumns(record), HANDOFF_FIELDS), chatbotId]);
    return record;
  }

  async updateHandoff(
    id: HandoffId,
    patch: Partial<Omit<HandoffRecord, 'id' | 'organizationId' | 'sessionId'>>,
  ): Promise<HandoffRecord> {
    const before = await this.findHandoff(id);
    if (before === null)
      throw new NotFoundError('HANDOFF_NOT_FOUND', 'handoffId', `Session ${this.current.id} has no handoff ${id}.`);
    const record: HandoffRecord = { ...before, ...patch };
    this.handoffs.set(record.id, record);
    this.write(UPDATE_HANDOFF, [record.id, ...valuesOf(HandoffRow, handoffColumns(record), MUTABLE_HANDOFF_FIELDS)]);
    return record;
  }
}

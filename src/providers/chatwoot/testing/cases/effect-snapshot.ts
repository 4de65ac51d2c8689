import type { RecordedScene } from './scene';

const TYPES = ['incoming', 'outgoing', 'activity', 'template'];

/** Everything that a webhook could change, as runtime and agents see it. */
export interface EffectSnapshot {
  /** What the runtime has still to collect. */
  readonly notices: readonly string[];
  readonly control: string;
  /** State, end reason and agent of the newest handoff. */
  readonly handoff: string | null;
  /** The conversation's state as this service stores it. */
  readonly view: string | null;
  readonly messages: readonly string[];
  readonly survey: string | null;
  /** Messages that agents see marked as failed. */
  readonly failed: readonly number[];
  /** The conversation's status in Chatwoot itself. */
  readonly status: string;
}

export async function takeSnapshot({ world, sessionId }: RecordedScene): Promise<EffectSnapshot> {
  const { control, lastView } = await world.session(sessionId);
  const {
    rows: [handoff],
  } = await world.pool.query(
    'select state, end_reason, agent_name, survey from handoff where session_id = $1 order by requested_at desc, state limit 1',
    [sessionId],
  );
  const { rows: said } = await world.pool.query(
    "select author, author_name, text, attachments, deleted_at from message where session_id = $1 and author <> 'END_USER' order by seq",
    [sessionId],
  );
  const there = await world.messages(sessionId);
  return {
    notices: await world.collected(sessionId),
    control,
    handoff: handoff ? [handoff.state, handoff.end_reason, handoff.agent_name].filter(Boolean).join(' ') : null,
    view:
      lastView &&
      [
        lastView.status,
        lastView.agent?.externalId && `agent ${lastView.agent.externalId}`,
        lastView.teamId && `team ${lastView.teamId}`,
      ]
        .filter(Boolean)
        .join(', '),
    messages: said.map(({ author, author_name: name, text, attachments, deleted_at: deleted }) =>
      [author, name, `"${text}"`, ...attachments.map((file: { name: string }) => file.name), deleted && 'taken back']
        .filter(Boolean)
        .join(' '),
    ),
    survey: handoff?.survey
      ? [handoff.survey.externalId, handoff.survey.answer?.rating, handoff.survey.answer?.comment]
          .filter(Boolean)
          .join(' ')
      : null,
    failed: there.filter(({ status }) => status === 'failed').map(({ id }) => id),
    status: (await world.conversation(sessionId)).status,
  };
}

/** Returns all rows that a webhook may change, except the bookkeeping of syncs. */
export async function readRows({ world, sessionId }: RecordedScene): Promise<unknown> {
  const all = async (table: string, order: string) =>
    (await world.pool.query(`select * from ${table} order by ${order}`)).rows;
  const {
    syncHint: _hint,
    hintCount: _hints,
    stateHintCount: _stateHints,
    stateReadAt: _at,
    syncCursor: _after,
    lastSeenMessageId: _seen,
    ...session
  } = await world.session(sessionId);
  return {
    session,
    message: await all('message', 'id'),
    event: await all('event', 'session_id, seq'),
    handoff: await all('handoff', 'id'),
    delivery: await all('delivery', 'id'),
    stray: await all('agent_initiated_conversation', 'session_id, conversation_id'),
  };
}

/** Returns whether the body's claim currently holds in Chatwoot. */
export async function isClaimTrue({ world, sessionId, recording }: RecordedScene): Promise<boolean> {
  const body = JSON.parse(recording.body);
  if (!/^(message|conversation)_/.test(body.event) || /typing/.test(body.event)) return true;
  if (body.event.startsWith('conversation_')) {
    const { status, meta } = await world.conversation(sessionId);
    const idsIn = (of: { assignee?: { id: number } | null; team?: { id: number } | null }) => [
      of.assignee?.id ?? null,
      of.team?.id ?? null,
    ];
    return status === body.status && String(idsIn(meta)) === String(idsIn(body.meta));
  }
  const row = (await world.messages(sessionId)).find(({ id }) => id === body.id);
  const isTheirs =
    !['user', 'agent_bot'].includes(body.sender?.type) ||
    (row?.sender?.id === body.sender.id && row.sender.type === body.sender.type);
  return (
    row !== undefined &&
    TYPES[row.message_type] === body.message_type &&
    row.private === body.private &&
    isTheirs &&
    (body.content === row.content || body.content_type === 'input_csat') &&
    (body.attachments?.length ?? 0) === (row.attachments?.length ?? 0) &&
    ['deleted', 'submitted_values', 'external_error'].every(
      key => key in body.content_attributes === key in row.content_attributes,
    )
  );
}

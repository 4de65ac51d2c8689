import {
  neverBlocks,
  type AttemptOutcome,
  type DeliveryOutcome,
  type LaneDestination,
  type MediaWork,
  type ProviderDelivery,
  type ProviderWork,
  type RuntimeNotice,
} from '../../core/delivery';
import { LeaseLostError } from '../../core/errors';
import { isUuid, type HandoffId } from '../../core/ids';
import type { AnyLane } from '../../core/ports/lane-store';
import type {
  DeadLetterRows,
  DeliveryQueue,
  DeliveryReference,
  EnqueuedNote,
  EnqueuedWork,
  LaneHead,
  UnfinishedPost,
  Withdrawing,
} from '../../core/ports/session-transaction';
import {
  ENQUEUE_FILE_WORK,
  ENQUEUE_FOR_PROVIDER,
  ENQUEUE_ALL_FOR_PROVIDER,
  ENQUEUE_FOR_RUNTIME,
  ENQUEUE_PUSH,
} from '../deliveries/enqueue';
import {
  DISCARD,
  DISCARD_HEAD,
  FORGET_OUTCOME,
  MAKE_RESENT_DUE,
  CLEAR_UNKNOWN_OUTCOMES,
  ROUTE_RESENT,
  LOCK_LANES,
  PARK_HEAD,
  RESEND,
  UNBLOCK,
  UNFINISHED_POSTS,
  WAIT_BEHIND_RESENT,
  WITHDRAW_OPENING,
  WITHDRAW_RETURNS,
} from '../deliveries/dead-letter-sql';
import { statement, toJson } from '../postgres/sql';
import { HandoffTransaction } from './handoff-transaction';

const RETURN_WAITING = statement(
  'tx_return_waiting',
  `
  select from delivery where session_id = $1 and destination = 'PROVIDER' and state = 'WAITING' and kind = 'RETURN_CONVERSATION' limit 1`,
);
const NOTE = statement(
  'tx_note',
  `
  select id, payload ->> 'text' as text, attempts > 0 as "wasAttempted" from delivery where session_id = $1 and destination = 'PROVIDER' and kind = 'POST_NOTE' and payload ->> 'noteId' = $2 order by id desc limit 1`,
);
const ATTEMPTED_CONTEXT_NOTE = statement(
  'tx_attempted_context_note',
  `
  select id from delivery
  where session_id = $1 and destination = 'PROVIDER' and kind = 'POST_CONTEXT_NOTE' and payload ->> 'handoffId' = $2 and attempts > 0 order by id desc limit 1`,
);
const COUNT_UNACKNOWLEDGED = statement(
  'tx_unacknowledged',
  "select count(*)::int as count from delivery where drains_handoff_id = $1 and state = 'WAITING'",
);
const ASSERT_FENCE = statement(
  'tx_assert_fence',
  'select 1 from lane where session_id = $1 and destination = $3 and fence = $2 for no key update',
);

/** The deliveries of a session's transaction, and the lanes that they wait in. */
export abstract class DeliveryTransaction
  extends HandoffTransaction
  implements DeliveryQueue, LaneHead, DeadLetterRows
{
  async enqueueForProvider(work: ProviderWork): Promise<void> {
    this.write(ENQUEUE_FOR_PROVIDER, [
      ...this.deliveryValues('PROVIDER', work, null),
      this.inbox.accountId,
      ...this.place(),
    ]);
  }

  async enqueueAllForProvider(works: readonly EnqueuedWork[]): Promise<void> {
    if (works.length === 0) return;
    if (works.length === 1 && works[0]!.instead === undefined) return this.enqueueForProvider(works[0]!.work);
    const [id, organizationId, chatbotId, destination, , , ...rest] = this.deliveryValues(
      'PROVIDER',
      works[0]!.work,
      null,
    );
    const [kinds, payloads, instead] = [
      works.map(({ work }) => work.kind),
      works.map(({ work }) => toJson(work)),
      works.map(one => one.instead ?? null),
    ];
    this.write(ENQUEUE_ALL_FOR_PROVIDER, [
      id,
      organizationId,
      chatbotId,
      destination,
      kinds,
      payloads,
      ...rest,
      this.inbox.accountId,
      ...this.place(),
      instead,
    ]);
  }

  unfinishedPosts(): Promise<readonly UnfinishedPost[]> {
    return this.read<UnfinishedPost>(UNFINISHED_POSTS, [this.current.id]);
  }

  async withdrawOpening({ by, noteId }: Withdrawing = {}): Promise<void> {
    await this.read(LOCK_LANES, [this.current.id]);
    this.write(WITHDRAW_OPENING, [
      this.current.id,
      this.now(),
      by ?? null,
      this.current.conversationId !== null,
      noteId ?? null,
    ]);
  }

  async withdrawReturns(): Promise<readonly EnqueuedWork[]> {
    await this.read(LOCK_LANES, [this.current.id]);
    const withdrawn = await this.change<{ id: string; work: ProviderWork }>(WITHDRAW_RETURNS, [
      this.current.id,
      this.now(),
    ]);
    return sortByDelivery(withdrawn).map(({ work }) => ({ work }));
  }

  async isReturnWaiting(): Promise<boolean> {
    return (await this.read(RETURN_WAITING, [this.current.id])).length > 0;
  }

  async attemptedContextNote(handoffId: HandoffId): Promise<string | null> {
    return (await this.read<{ id: string }>(ATTEMPTED_CONTEXT_NOTE, [this.current.id, handoffId]))[0]?.id ?? null;
  }

  async note(noteId: string): Promise<EnqueuedNote | null> {
    return (await this.read<EnqueuedNote>(NOTE, [this.current.id, noteId]))[0] ?? null;
  }

  async enqueueFileWork(work: MediaWork): Promise<void> {
    this.write(ENQUEUE_FILE_WORK, [...this.deliveryValues('MEDIA', work, null), this.inbox.accountId, ...this.place()]);
  }

  async enqueueForRuntime(notice: RuntimeNotice): Promise<void> {
    const delivery = this.deliveryValues('RUNTIME', notice, await this.drainingHandoffId(notice));
    if (this.locked.endpointId === null) this.write(ENQUEUE_FOR_RUNTIME, delivery);
    else this.write(ENQUEUE_PUSH, [...delivery, this.locked.endpointId]);
  }

  async parkHead(
    { sessionId, destination, fence, delivery }: AnyLane,
    code: string,
    said: AttemptOutcome,
    ambiguousForMs: number,
  ): Promise<DeliveryOutcome | null> {
    // A file or a push that is lost keeps nothing else from going out.
    const blocks =
      destination === 'PROVIDER' && !neverBlocks(delivery.work) && this.inbox.policy.onDeadLetter === 'BLOCK';
    return (
      (
        await this.read<{ outcome: DeliveryOutcome }>(PARK_HEAD, [
          sessionId,
          destination,
          fence,
          delivery.id,
          this.now(),
          code,
          blocks,
          said,
          ambiguousForMs,
        ])
      )[0]?.outcome ?? null
    );
  }

  async discardHead(
    { sessionId, destination, fence, delivery }: AnyLane,
    code: string,
    reason: string,
    said: AttemptOutcome,
  ): Promise<boolean> {
    return (
      (await this.read(DISCARD_HEAD, [sessionId, destination, fence, delivery.id, this.now(), code, reason, said]))
        .length > 0
    );
  }

  async forgetOutcome(deliveryId: string): Promise<void> {
    this.write(FORGET_OUTCOME, [this.current.id, deliveryId]);
  }

  async clearUnknownOutcomes(): Promise<void> {
    this.write(CLEAR_UNKNOWN_OUTCOMES, [this.current.id]);
  }

  async resend(ids: readonly string[], skipLookup = false): Promise<readonly DeliveryReference[]> {
    const { id, organizationId } = this.current;
    await this.read(LOCK_LANES, [id]);
    const deliveries = await this.read<DeliveryReference>(RESEND, [id, ids, this.locked.position, skipLookup]);
    if (deliveries.length === 0) return [];
    const sent = deliveries.map(letter => letter.id);
    if (this.locked.endpointId !== null) this.write(ROUTE_RESENT, [id, organizationId, this.locked.endpointId, sent]);
    this.write(WAIT_BEHIND_RESENT, [id, sent]);
    this.write(MAKE_RESENT_DUE, [id, sent]);
    return sortByDelivery(deliveries);
  }

  async discard(ids: readonly string[], reason: string): Promise<readonly DeliveryReference[]> {
    const { id } = this.current;
    await this.read(LOCK_LANES, [id]);
    const deliveries = await this.read<DeliveryReference>(DISCARD, [id, ids, this.now(), reason]);
    if (deliveries.length > 0) this.write(UNBLOCK, [id, deliveries.map(letter => letter.id)]);
    return sortByDelivery(deliveries);
  }

  async countUnacknowledged(handoffId: HandoffId): Promise<number> {
    return isUuid(handoffId) ? (await this.read<{ count: number }>(COUNT_UNACKNOWLEDGED, [handoffId]))[0]!.count : 0;
  }

  async assertFence({ fence }: Pick<ProviderDelivery, 'fence'>, of: LaneDestination = 'PROVIDER'): Promise<void> {
    if ((await this.read(ASSERT_FENCE, [this.current.id, fence, of])).length === 0)
      throw new LeaseLostError("The lane's lease was lost. Another replica continues the work.");
  }

  private deliveryValues(
    destination: LaneDestination | 'RUNTIME',
    what: ProviderWork | MediaWork | RuntimeNotice,
    drainedBy: HandoffId | null,
  ): unknown[] {
    const { id, organizationId, chatbotId } = this.current;
    return [
      id,
      organizationId,
      chatbotId,
      destination,
      what.kind,
      toJson(what),
      this.locked.position,
      drainedBy,
      this.now(),
    ];
  }

  /** What a delivery remembers of the conversation, so that it is not taken for the next one's. */
  private place(): unknown[] {
    return [this.current.conversationId, this.current.syncCursor];
  }

  /** Returns the handoff that ends only after this delivery was collected: the handoff of an agent's message. */
  private async drainingHandoffId(notice: RuntimeNotice): Promise<HandoffId | null> {
    if (notice.kind !== 'MESSAGE') return null;
    const said = this.inserted.get(notice.messageId) ?? (await this.findMessage(notice.messageId));
    return said?.author === 'AGENT' ? said.handoffId : null;
  }
}

/** Sorts deliveries in the order in which they were enqueued. */
const sortByDelivery = <T extends { readonly id: string }>(deliveries: T[]): T[] =>
  deliveries.sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));

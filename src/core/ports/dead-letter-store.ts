import type { DeadLetter, DeliveryOutcome } from '../delivery';
import type { AccountId, ChatbotId, Instant, OrganizationId, SessionId } from '../ids';
import type { Page, PageRequest } from './page';

/** Selects dead letters. Every field that is not null must match. */
export interface DeadLetterFilter {
  readonly accountId: AccountId | null;
  readonly chatbotId: ChatbotId | null;
  readonly sessionId: SessionId | null;
  readonly destination: string | null;
  readonly kind: string | null;
  readonly code: string | null;
  /** If omitted or null: both outcomes. */
  readonly outcome?: DeliveryOutcome | null;
  readonly parkedBefore: Instant | null;
  readonly parkedAfter: Instant | null;
}

export interface BlockedLane {
  readonly destination: string;
  /** The dead letter that blocks the lane. */
  readonly deliveryId: string;
  readonly kind: string;
  readonly code: string;
  readonly outcome: DeliveryOutcome;
  readonly parkedAt: Instant;
}

/** Lists deliveries that are parked or discarded. {@link SessionTransaction} changes them. */
export interface DeadLetterStore {
  /** Lists dead letters, oldest first. @throws InvalidInputError CURSOR_INVALID */
  page(
    organizationId: OrganizationId,
    state: DeadLetter['state'],
    filter: DeadLetterFilter,
    page: PageRequest,
  ): Promise<Page<DeadLetter>>;
  count(organizationId: OrganizationId, state: DeadLetter['state'], filter: DeadLetterFilter): Promise<number>;
  /** Returns the given ids that are PARKED, oldest first. */
  findParked(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly DeadLetter[]>;
  /** Lists the lanes of one session that wait behind a dead letter. */
  findBlockedLanes(organizationId: OrganizationId, sessionId: SessionId): Promise<readonly BlockedLane[]>;
}

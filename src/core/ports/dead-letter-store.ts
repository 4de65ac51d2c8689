import type { DeadLetter, DeliveryOutcome } from '../delivery';
import type { AccountId, ChatbotId, Instant, OrganizationId, SessionId } from '../ids';
import type { Page, PageRequest } from './stores';

/** All that is not null must hold. */
export interface DeadLetterFilter {
  readonly accountId: AccountId | null;
  readonly chatbotId: ChatbotId | null;
  readonly sessionId: SessionId | null;
  readonly destination: string | null;
  readonly kind: string | null;
  readonly code: string | null;
  /** Left out: either. */
  readonly outcome?: DeliveryOutcome | null;
  readonly parkedBefore: Instant | null;
  readonly parkedAfter: Instant | null;
}

export interface BlockedLane {
  readonly destination: string;
  /** The dead letter in front. */
  readonly deliveryId: string;
  readonly kind: string;
  readonly code: string;
  readonly outcome: DeliveryOutcome;
  readonly parkedAt: Instant;
}

/** What was set aside. Changing it is the Session's business: see SessionTransaction. */
export interface DeadLetterStore {
  /** In the order in which they were owed. @throws InvalidInputError CURSOR_INVALID */
  page(organizationId: OrganizationId, state: DeadLetter['state'], filter: DeadLetterFilter, page: PageRequest): Promise<Page<DeadLetter>>;
  count(organizationId: OrganizationId, state: DeadLetter['state'], filter: DeadLetterFilter): Promise<number>;
  /** Those of the ids that are PARKED, in the order in which they were owed. */
  parkedByIds(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly DeadLetter[]>;
  /** Lanes of one Session that wait behind a dead letter. */
  blockedLanes(organizationId: OrganizationId, sessionId: SessionId): Promise<readonly BlockedLane[]>;
}

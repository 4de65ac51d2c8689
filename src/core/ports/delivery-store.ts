import type { RuntimeDelivery } from '../delivery';
import type { ChatbotId, Instant, OrganizationId, SessionId } from '../ids';
import type { PageRequest, Page } from './page';

export interface RuntimeInboxFilter {
  readonly chatbotId: ChatbotId | null;
  readonly sessionId: SessionId | null;
}

export interface DeliveryStore {
  /** Lists waiting runtime deliveries, oldest first and in order within each session. */
  listRuntimeInbox(
    organizationId: OrganizationId,
    filter: RuntimeInboxFilter,
    page: PageRequest,
  ): Promise<Page<RuntimeDelivery>>;
  /**
   * Marks deliveries as collected, also parked ones. Discarded ones are acknowledged and stay discarded. Returns
   * unknown and foreign ids as `unknown`. Repeatable.
   */
  acknowledge(
    organizationId: OrganizationId,
    ids: readonly string[],
    at: Instant,
  ): Promise<{
    readonly acknowledged: readonly string[];
    readonly unknown: readonly string[];
    readonly sessionIds: readonly SessionId[];
  }>;
  /**
   * Marks the deliveries of a runtime inbox list up to and including `cursor` as collected: at most `limit`, oldest
   * first. The filter may narrow the list that the cursor came from, but never widens it. Deliveries that were in no
   * list the caller has read, or that become visible later, stay. Call again until `isComplete`.
   * @throws InvalidInputError CURSOR_INVALID
   */
  acknowledgeThrough(
    organizationId: OrganizationId,
    filter: RuntimeInboxFilter,
    cursor: string,
    limit: number,
    at: Instant,
  ): Promise<{
    readonly acknowledged: number;
    readonly sessionIds: readonly SessionId[];
    readonly isComplete: boolean;
  }>;
  /** Returns whether a runtime delivery still waits to be collected. */
  isWaiting(organizationId: OrganizationId, id: string): Promise<boolean>;
  /** Counts one session's pending deliveries, to explain why the bot is silent. */
  countPending(organizationId: OrganizationId, sessionId: SessionId): Promise<PendingDeliveries>;
}

export interface PendingDeliveries {
  readonly provider: number;
  readonly runtime: number;
  readonly parked: number;
  /** The part of `parked` whose outcome is unknown. */
  readonly parkedUnknown: number;
  readonly lastErrorCode: string | null;
}

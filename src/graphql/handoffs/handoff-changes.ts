import type { EventBody, EventRecord } from '../../core/event';
import type { Scope } from '../../core/flows/api/scope';
import { type HandoffRecord, isLive } from '../../core/handoff';
import type { HandoffFilter } from '../../core/ports/handoff-store';
import { createFeedSignal, createIterator } from '../live/wake-signal';
import type { LiveSources } from '../live/live-sources';

const BATCH_SIZE = 100;
/** Maximum number of handoffs in a snapshot; clients page through `handoffs` for the rest. */
export const SNAPSHOT_LIMIT = 1_000;

export interface HandoffChangeItem {
  /** Pass it as `after` to continue after this item. */
  readonly cursor: string;
  readonly snapshot: { readonly handoffs: readonly HandoffRecord[]; readonly isComplete: boolean } | null;
  readonly event: EventRecord | null;
}

/**
 * Follows the handoffs that match a filter. Without `after`: first the live ones, then every later change. With
 * `after`: only the changes after that cursor, in order, so that no cursor is ahead of a change that the client lacks.
 * @throws InvalidInputError CURSOR_INVALID, CURSOR_EXPIRED
 */
export function handoffChanges(
  sources: LiveSources,
  scope: Scope,
  filter: HandoffFilter,
  after: string | null,
): Promise<AsyncIterableIterator<HandoffChangeItem>> {
  const { events, handoffs } = sources.stores;
  const { organizationId } = scope;
  const wakeSignal = createFeedSignal(sources);
  const prepare = async (): Promise<string> => {
    if (after === null) return events.currentCursor();
    // Refuses an invalid cursor before the first item.
    await events.listHandoffChanges(organizationId, after, 1);
    return after;
  };
  return createIterator(wakeSignal, prepare, async function* (start) {
    // The cursor is older than the snapshot: a change during the snapshot's reads may be repeated, but is never missed.
    if (after === null) yield { cursor: start, snapshot: await snapshotOf(sources, scope, filter), event: null };
    let cursor = start;
    while (!wakeSignal.isClosed) {
      const page = await events.listHandoffChanges(organizationId, cursor, BATCH_SIZE);
      const records =
        filter.teamIds === null
          ? null
          : await handoffs.getMany(
              organizationId,
              page.events.map(({ event }) => event.handoffId ?? ''),
            );
      for (const [i, { event, cursor: at }] of page.events.entries())
        if (matchesFilter(filter, event, records?.[i] ?? null)) yield { cursor: at, snapshot: null, event };
      cursor = page.cursor;
      if (page.events.length < BATCH_SIZE) await wakeSignal.wait();
    }
  });
}

async function snapshotOf(
  { stores }: LiveSources,
  { organizationId }: Scope,
  filter: HandoffFilter,
): Promise<HandoffChangeItem['snapshot']> {
  const found: HandoffRecord[] = [];
  if (filter.live === false) return { handoffs: found, isComplete: true };
  for (let after: string | null = null; ; ) {
    const page = await stores.handoffs.page(organizationId, { ...filter, live: true }, { first: BATCH_SIZE, after });
    found.push(...page.edges.map(edge => edge.node));
    if (!page.hasNextPage || found.length >= SNAPSHOT_LIMIT) return { handoffs: found, isComplete: !page.hasNextPage };
    after = page.edges.at(-1)!.cursor;
  }
}

/**
 * True if the handoff matched the filter before the change or matches it afterwards: leaving the filter is reported
 * too.
 */
export function matchesFilter(filter: HandoffFilter, event: EventRecord, handoff: HandoffRecord | null): boolean {
  const { from, to } = event.body as Extract<EventBody, { type: 'HANDOFF_CHANGED' }>;
  const states = from === null ? [to] : [from, to];
  return (
    (filter.sessionId === null || filter.sessionId === event.sessionId) &&
    (filter.chatbotIds === null || filter.chatbotIds.includes(event.chatbotId)) &&
    (filter.teamIds === null || (handoff?.target.teamId != null && filter.teamIds.includes(handoff.target.teamId))) &&
    (filter.states === null || states.some(state => filter.states!.includes(state))) &&
    (filter.live === null || (filter.live ? states.some(isLive) : !isLive(to)))
  );
}

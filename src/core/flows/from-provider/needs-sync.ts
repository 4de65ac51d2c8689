import type { StateHint } from '../../ports/provider/webhook';
import type { SessionRecord } from '../../session';

/**
 * Returns whether a hint justifies a sync. A state that the last view already has does not. While this service writes
 * the state itself, no state that is read is believed, and a sync follows the write if `isNewsAfterWrite`. An agent who
 * takes the
 * conversation at that moment always counts, because this service never does that.
 */
export function needsSync(
  { lastView, statusWrites }: Pick<SessionRecord, 'lastView' | 'statusWrites'>,
  { status, teamId, agentId }: StateHint,
): boolean {
  if (agentId != null && agentId !== lastView?.agent?.externalId) return true;
  if (statusWrites % 2 === 1) return false;
  if (lastView === null) return true;
  return (
    (status !== undefined && status !== lastView.status) ||
    (teamId !== undefined && teamId !== lastView.teamId) ||
    (agentId !== undefined && agentId !== (lastView.agent?.externalId ?? null))
  );
}

/**
 * Returns whether a hint that justifies no sync, because this service writes the state itself, shows a state that no
 * opening passes
 * through. Then somebody else has changed the conversation since, and the state is read once it is written.
 */
export const isNewsAfterWrite = (
  { statusWrites }: Pick<SessionRecord, 'statusWrites'>,
  { status }: StateHint,
): boolean => statusWrites % 2 === 1 && status !== undefined && status !== 'BOT_HELD' && status !== 'OPEN';

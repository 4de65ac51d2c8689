import type { ShownState } from '../ports/support-provider';
import type { SessionRecord } from '../session';

/**
 * Whether what a hint shows is worth a reading. What the last view has already is not; and while we write the state
 * ourselves nothing that is read of it is believed, and a reading comes behind the write. A person who takes the
 * conversation in that moment is news all the same: we never do that.
 */
export function isNews({ lastView, statusWrites }: Pick<SessionRecord, 'lastView' | 'statusWrites'>, { status, teamId, agentId }: ShownState): boolean {
  if (agentId != null && agentId !== lastView?.agent?.externalId) return true;
  if (statusWrites % 2 === 1) return false;
  if (lastView === null) return true;
  return (status !== undefined && status !== lastView.status)
    || (teamId !== undefined && teamId !== lastView.teamId)
    || (agentId !== undefined && agentId !== (lastView.agent?.externalId ?? null));
}

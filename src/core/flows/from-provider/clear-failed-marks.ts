import { ProviderRefusedError, UnsupportedByProviderError } from '../../errors';
import { isUuid } from '../../ids';
import type { MessageRows } from '../../ports/session-transaction';
import type { SyncCause } from '../../ports/lane-store';
import type { ConversationAccess } from '../../ports/provider/access';
import type { Observation } from '../../ports/provider/observation';
import type { ProviderContext } from '../provider-context';
import type { StoreDeps } from '../deps';

/**
 * The maximum number of marks that one sync clears, newest first, because each is a call. Older messages stay marked.
 */
const MAX_CLEARED = 50;

/**
 * Clears failure marks that agents see only because this service was unavailable: the message has arrived here now, or
 * came from here. Called once after each sync with the marked messages it found; without any, it makes no call.
 * Messages that the runtime reported as failed stay marked.
 */
export async function clearFailedMarks(
  deps: StoreDeps,
  { provider, session }: ProviderContext,
  conversation: ConversationAccess,
  {
    marked,
    cause,
    signal,
  }: { readonly marked: readonly Observation[]; readonly cause: SyncCause; readonly signal: () => AbortSignal },
): Promise<void> {
  // While the provider cannot reach this service, a cleared mark returns at once. So timers and scans alone do not
  // clear marks.
  const isTold = session.syncHint === 'ALL' || (session.syncHint === 'MESSAGES' && cause === 'HINT');
  const due = marked.filter(({ kind }) => isTold || kind === 'agentMessage');
  if (provider.reportDelivery === undefined || due.length === 0) return;
  const { result: wrong } = await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    const judged = await Promise.all(due.map(async one => ((await isFalseFailure(tx, one)) ? [one.id] : [])));
    return judged.flat().slice(-MAX_CLEARED);
  });
  for (const messageId of wrong) {
    try {
      await provider.reportDelivery({ conversation, messageId, state: 'DELIVERED', error: null }, signal());
    } catch (error) {
      // Cosmetic: the message is being delivered, whether or not the provider can clear the mark.
      if (!(error instanceof UnsupportedByProviderError || error instanceof ProviderRefusedError)) throw error;
    }
  }
}

async function isFalseFailure(tx: MessageRows, one: Observation): Promise<boolean> {
  const message = await tx.findMessageByProviderId(one.id);
  if (message !== null) return message.channelState !== 'FAILED';
  // Notes, surveys, and lines that report a change have no record. A message whose record retention removed stays
  // marked, because it is unknown how it failed.
  return one.kind !== 'agentMessage' && !(one.kind === 'echo' && isUuid(one.ourId));
}

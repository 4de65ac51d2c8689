import { ProviderRefusedError, UnsupportedByProviderError } from '../errors';
import { isUuid } from '../ids';
import type { SessionTransaction, SyncCause } from '../ports/stores';
import type { ConversationAccess, Observation } from '../ports/support-provider';
import type { Connected } from './conversation';
import type { FlowDeps } from './deps';

/** Of one reading, the newest; each is a call. What is older stays marked. */
const MOST_CLEARED = 50;

/**
 * Takes the mark off what agents see as failed only because we were away: it has arrived here now, or came from here in
 * the first place. Called once behind each reading with what it found so marked; calls nobody when that is nothing. What
 * the runtime itself reported as failed stays so.
 */
export async function clearFalseFailures(deps: FlowDeps, { provider, session }: Connected, conversation: ConversationAccess, { marked, cause, signal }: { readonly marked: readonly Observation[]; readonly cause: SyncCause; readonly signal: () => AbortSignal }): Promise<void> {
  // While nobody reaches us, a mark that is taken off comes back at once: timers and scans alone do not try.
  const isTold = session.readHint === 'ALL' || (session.readHint === 'MESSAGES' && cause === 'HINT');
  const due = marked.filter(({ kind }) => isTold || kind === 'agentMessage');
  if (provider.reportDelivery === undefined || due.length === 0) return;
  const { answer: wrong } = await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    const judged = await Promise.all(due.map(async one => (await isFalse(tx, one) ? [one.id] : [])));
    return judged.flat().slice(-MOST_CLEARED);
  });
  for (const messageId of wrong) {
    try {
      await provider.reportDelivery({ conversation, messageId, state: 'DELIVERED', error: null }, signal());
    } catch (error) {
      // Cosmetic: the words are on their way, and a provider that cannot take the mark back changes nothing about that.
      if (!(error instanceof UnsupportedByProviderError || error instanceof ProviderRefusedError)) throw error;
    }
  }
}

async function isFalse(tx: SessionTransaction, one: Observation): Promise<boolean> {
  const message = await tx.messageByProviderId(one.id);
  if (message !== null) return message.channelState !== 'FAILED';
  // Notes, surveys, and lines that show a change have no record. What had one is forgotten: how it failed, nobody knows.
  return one.kind !== 'agentMessage' && !(one.kind === 'echo' && isUuid(one.ourId));
}

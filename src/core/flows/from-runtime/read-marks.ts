import { InvalidInputError } from '../../errors';
import { instantOf } from '../../ports/clock';
import type { Flows } from '../api';
import type { MarkReadInput } from '../api/channel';
import type { Scope } from '../api/scope';
import type { MutationDeps } from '../deps';
import { idempotencyScopeOf } from './record-message';

/**
 * The maximum number of messages of one mark that are reported one by one, for a provider that cannot mark all at once.
 */
export const MAX_REPORTED = 20;

export function readMarkFlows(deps: MutationDeps): Pick<Flows, 'markRead'> {
  return {
    async markRead(scope: Scope, input: MarkReadInput) {
      const { result, replayed } = await deps.stores.sessions.transact(
        scope.organizationId,
        input.sessionId,
        async tx => {
          const message = await tx.findMessage(input.throughMessageId);
          if (message === null)
            throw new InvalidInputError(
              'INPUT_INVALID',
              'throughMessageId',
              'The session has no such message. Give the id of the last one that the end-user has read.',
            );
          const marked = await tx.markRead(message.seq);
          if (marked.length === 0) return { session: tx.session, markedCount: 0 };
          const handoffId = tx.liveHandoff?.id ?? null;
          await tx.appendEvent(
            { type: 'MESSAGES_READ', throughSeq: message.seq },
            handoffId,
            instantOf(deps.clock.now()),
          );
          // Messages of the bot and of this service need no mark for agents.
          const ofAgents = marked.filter(({ author }) => author === 'AGENT').map(({ id }) => id);
          if (ofAgents.length > 0 && tx.inbox.state !== 'DISABLED')
            await tx.enqueueForProvider({
              kind: 'MARK_READ',
              throughSeq: message.seq,
              messageIds: ofAgents.slice(-MAX_REPORTED),
            });
          return { session: tx.session, markedCount: marked.length };
        },
        idempotencyScopeOf(deps, scope, 'markRead', input),
      );
      return { ...result, replayed };
    },
  };
}

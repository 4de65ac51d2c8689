import { NotFoundError, ProviderRefusedError, SupportDisabledError } from '../../errors';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import type { SetTypingInput } from '../api/channel';
import { loadProviderContext, conversationAccessOf } from '../provider-context';
import type { FlowDeps } from '../deps';

export function typingFlows(deps: FlowDeps): Pick<Flows, 'setTyping'> {
  return {
    async setTyping(scope: Scope, { sessionId, isTyping }: SetTypingInput) {
      const session = await deps.stores.sessions.get(scope.organizationId, sessionId);
      if (session === null)
        throw new NotFoundError(
          'SESSION_NOT_FOUND',
          'sessionId',
          'There is no such session. Open it with openSupportSession.',
        );
      // While the bot has control, no agent would see it.
      if (deps.typing === undefined || session.closedAt !== null || session.control === 'BOT')
        return { isForwarded: false };
      const context = await loadProviderContext(deps, scope.organizationId, sessionId).catch((error: unknown) => {
        if (error instanceof SupportDisabledError || error instanceof ProviderRefusedError) return null;
        throw error;
      });
      const conversation = context && conversationAccessOf(deps, context);
      if (
        !context ||
        !conversation ||
        !context.account.capabilities.typing ||
        context.provider.sendTyping === undefined
      )
        return { isForwarded: false };
      const { provider, account } = context;
      deps.typing.send({
        sessionId,
        accountId: account.id,
        isTyping,
        send: (now, signal) => provider.sendTyping!({ conversation, isTyping: now }, signal),
      });
      return { isForwarded: true };
    },
  };
}

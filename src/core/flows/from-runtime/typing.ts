import { NotFoundError, ProviderRefusedError, SupportDisabledError } from '../../errors';
import type { Flows, Scope, SetTypingInput } from '../api';
import { connect, conversationOf } from '../provider-context';
import type { FlowDeps } from '../deps';

export function typingFlows(deps: FlowDeps): Pick<Flows, 'setTyping'> {
  return {
    async setTyping(scope: Scope, { sessionId, isTyping }: SetTypingInput) {
      const session = await deps.stores.sessions.get(scope.organizationId, sessionId);
      if (session === null) throw new NotFoundError('SESSION_NOT_FOUND', 'sessionId', 'There is no such session. Open it with openSupportSession.');
      // While the bot has control, no agent would see it.
      if (deps.typing === undefined || session.closedAt !== null || session.control === 'BOT') return { isShown: false };
      const connected = await connect(deps, scope.organizationId, sessionId).catch((error: unknown) => {
        if (error instanceof SupportDisabledError || error instanceof ProviderRefusedError) return null;
        throw error;
      });
      const conversation = connected && conversationOf(deps, connected);
      if (!connected || !conversation || !connected.account.capabilities.typing || connected.provider.showTyping === undefined) return { isShown: false };
      const { provider, account } = connected;
      deps.typing.show({ sessionId, accountId: account.id, isTyping, tell: (now, signal) => provider.showTyping!({ conversation, isTyping: now }, signal) });
      return { isShown: true };
    },
  };
}

import type { RuntimeDelivery } from '../../core/delivery';
import { NotFoundError } from '../../core/errors';
import type { Scope } from '../../core/flows/api';
import { feedBell, follow, type LiveSources } from './follow';

const READ_AT_ONCE = 100;

/** First what waits to be collected, then each new delivery. What is not acknowledged comes again at the next subscription. */
export function runtimeDeliveries(sources: LiveSources, scope: Scope, chatbotId: string): Promise<AsyncIterableIterator<RuntimeDelivery>> {
  const { deliveries, setup } = sources.stores;
  const bell = feedBell(sources);
  const prepare = async (): Promise<void> => {
    if (!(await setup.inboxOfChatbot(scope.organizationId, chatbotId)))
      throw new NotFoundError('CHATBOT_NOT_ENABLED', 'chatbotId', `Chatbot ${chatbotId} has no support inbox; enable it with enableChatbotSupport.`);
  };
  return follow(bell, prepare, async function* () {
    let after: string | null = null;
    while (!bell.isClosed) {
      const page = await deliveries.runtimeInbox(scope.organizationId, { chatbotId, sessionId: null }, { first: READ_AT_ONCE, after });
      for (const { node, cursor } of page.edges) {
        yield node;
        after = cursor;
      }
      if (!page.hasNextPage) await bell.rung();
    }
  });
}

import type { RuntimeDelivery } from '../../core/delivery';
import { NotFoundError } from '../../core/errors';
import type { Scope } from '../../core/flows/api';
import { feedBell, follow, type LiveSources } from './follow';

const READ_AT_ONCE = 100;

/** Yields the pending deliveries of a chatbot, then each new one. The next subscription repeats unacknowledged ones. */
export function runtimeDeliveries(sources: LiveSources, scope: Scope, chatbotId: string): Promise<AsyncIterableIterator<RuntimeDelivery>> {
  const { deliveries } = sources.stores;
  const bell = feedBell(sources);
  return follow(bell, () => checkEnabled(sources, scope, chatbotId), async function* () {
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

/** @throws NotFoundError CHATBOT_NOT_ENABLED for an unknown or foreign chatbot */
export async function checkEnabled({ stores }: LiveSources, { organizationId }: Scope, chatbotId: string): Promise<void> {
  if ((await stores.setup.inboxOfChatbot(organizationId, chatbotId)) === null)
    throw new NotFoundError('CHATBOT_NOT_ENABLED', 'chatbotId', `Chatbot ${chatbotId.slice(0, 100)} has no support inbox; enable it with enableChatbotSupport.`);
}

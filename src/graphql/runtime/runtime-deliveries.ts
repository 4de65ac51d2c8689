import type { RuntimeDelivery } from '../../core/delivery';
import { NotFoundError } from '../../core/errors';
import type { Scope } from '../../core/flows/api/scope';
import { createFeedSignal, createIterator } from '../live/wake-signal';
import type { LiveSources } from '../live/live-sources';

const BATCH_SIZE = 100;

/** Yields the pending deliveries of a chatbot, then each new one. The next subscription repeats unacknowledged ones. */
export function runtimeDeliveries(
  sources: LiveSources,
  scope: Scope,
  chatbotId: string,
): Promise<AsyncIterableIterator<RuntimeDelivery>> {
  const { deliveries } = sources.stores;
  const wakeSignal = createFeedSignal(sources);
  return createIterator(
    wakeSignal,
    () => checkEnabled(sources, scope, chatbotId),
    async function* () {
      let after: string | null = null;
      while (!wakeSignal.isClosed) {
        const page = await deliveries.listRuntimeInbox(
          scope.organizationId,
          { chatbotId, sessionId: null },
          { first: BATCH_SIZE, after },
        );
        for (const { node, cursor } of page.edges) {
          yield node;
          after = cursor;
        }
        if (!page.hasNextPage) await wakeSignal.wait();
      }
    },
  );
}

/** @throws NotFoundError CHATBOT_NOT_ENABLED for an unknown or foreign chatbot */
export async function checkEnabled(
  { stores }: LiveSources,
  { organizationId }: Scope,
  chatbotId: string,
): Promise<void> {
  if ((await stores.setup.findInboxByChatbot(organizationId, chatbotId)) === null)
    throw new NotFoundError(
      'CHATBOT_NOT_ENABLED',
      'chatbotId',
      `Chatbot ${chatbotId.slice(0, 100)} has no support inbox; enable it with enableChatbotSupport.`,
    );
}

import {
  AcknowledgeDocument,
  RuntimeDeliveriesDocument,
  RuntimeInboxDocument,
  type RuntimeInboxQuery,
} from '../../examples/generated/client';
import type { SupportClient } from '../../examples/support-client';
import type { ShutdownSignal } from './shutdown-signal';
import type { SeededRandom } from './seeded-random';
import type { Received } from './evidence';
import type { RunRecord } from './record';

type Delivery = RuntimeInboxQuery['supportRuntimeInbox']['nodes'][number];

export interface InboxOptions {
  readonly chatbotId: string;
  /** Whether deliveries are pushed; then it only queries those that did not arrive. */
  readonly isPushed: boolean;
  readonly client: SupportClient;
  readonly random: SeededRandom;
  readonly record: RunRecord;
  readonly shutdown: ShutdownSignal;
}

/**
 * Collects one chatbot's deliveries, by query and by subscription or push at once, and acknowledges them: sometimes
 * twice, sometimes later. Continues after the shutdown signal, until the run gives up.
 */
export class Inbox {
  constructor(private readonly options: InboxOptions) {}

  async collect(): Promise<void> {
    const { client, shutdown } = this.options;
    const pushed = this.options.isPushed
      ? null
      : this.listen().catch((error: unknown) => {
          if (!shutdown.isAborted) throw error;
        });
    await Promise.all([pushed, this.ask().finally(() => client.close())]);
  }

  private async ask(): Promise<void> {
    const { client, chatbotId, isPushed, shutdown, random } = this.options;
    while (!shutdown.isAborted) {
      try {
        for (let after: string | null = null; ; ) {
          const { supportRuntimeInbox: page }: RuntimeInboxQuery = await client.call(RuntimeInboxDocument, {
            chatbotId,
            first: 20,
            after,
          });
          await this.take(page.nodes, 'query');
          if (!page.pageInfo.hasNextPage || shutdown.isAborted) break;
          after = page.pageInfo.endCursor;
        }
      } catch {
        // Queried again in a moment: pending deliveries do not disappear.
      }
      // Short enough to find lost deliveries, and long enough for pushed ones to arrive first.
      await shutdown.waitForRetry(isPushed ? random.between(4_000, 8_000) : random.between(300, 1_500));
    }
  }

  /** The client itself subscribes again after each lost connection. */
  private async listen(): Promise<void> {
    const { client, chatbotId, shutdown } = this.options;
    while (!shutdown.isAborted) {
      try {
        for await (const { supportRuntimeDeliveries } of client.subscribe(RuntimeDeliveriesDocument, { chatbotId }))
          await this.take([supportRuntimeDeliveries], 'subscription');
      } catch {
        // Refused by a process that is stopping, or whose database is unavailable.
      }
      await shutdown.waitForRetry(500);
    }
  }

  private async take(deliveries: readonly Delivery[], via: Received['via']): Promise<void> {
    const { client, record, shutdown, random } = this.options;
    for (const { id: deliveryId, session, notice } of deliveries)
      record.receive({
        via,
        session: session.externalId,
        deliveryId,
        control: session.control,
        epoch: session.epoch,
        notice: noticeOf(notice),
      });
    // As if the runtime had crashed after the channel took it and before this.
    const ids = deliveries.map(({ id }) => id).filter(() => shutdown.isOver || !random.chance(0.1));
    if (ids.length === 0) return;
    const acknowledge = () => client.call(AcknowledgeDocument, { input: { ids } });
    await Promise.all([acknowledge(), ...(random.chance(0.1) ? [acknowledge()] : [])]);
  }
}

function noticeOf(notice: Delivery['notice']): Received['notice'] {
  switch (notice.__typename) {
    case 'SupportMessageNotice':
      return {
        kind: 'message',
        author: notice.message.author,
        messageId: notice.message.id,
        seq: notice.message.seq,
        text: notice.message.text,
      };
    case 'HandoffStateNotice':
      return { kind: 'state', handoffId: notice.handoff.id, state: notice.state };
    case 'HandoffOutcomeNotice':
      return {
        kind: 'outcome',
        handoffId: notice.handoff.id,
        state: notice.outcome.state,
        reason: notice.outcome.reason,
      };
    default:
      return { kind: 'other', what: notice.__typename };
  }
}

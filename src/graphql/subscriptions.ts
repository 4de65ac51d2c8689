import { Arg, Ctx, FieldResolver, ID, Int, Resolver, Root, Subscription } from 'type-graphql';
import type { RuntimeDelivery } from '../core/delivery';
import type { HandoffRecord } from '../core/handoff';
import type { SessionRecord } from '../core/session';
import { OperationContext } from './operation/context';
import { type ConversationStatus, conversationStatus } from './sessions/conversation-status';
import { type HandoffChangeItem as ChangeItem, handoffChanges } from './handoffs/handoff-changes';
import { runtimeDeliveries } from './runtime/runtime-deliveries';
import { type SessionEventItem, sessionEvents } from './live/session-events';
import { type EventView, eventView } from './sessions/event-types';
import { Handoff } from './handoffs/types';
import { HandoffChangeItem, SupportConversationStatus, SupportSessionEventItem } from './subscription-types';
import { HandoffFilterInput } from './runtime/inputs';
import { SupportRuntimeDelivery } from './runtime/delivery-types';
import { SupportSession } from './sessions/types';
import { withFreshLoaders, type SubscribeArgs } from './operation/with-fresh-loaders';
import { filterOf } from './shared/parse-input';

interface SessionArgs {
  readonly sessionId: string;
  readonly after?: number | null;
}
const RESUME =
  'The last `seq` that you have seen. All later items follow, in order and without a gap, and there is no snapshot.';

@Resolver()
export class Subscriptions {
  @Subscription(() => SupportSessionEventItem, {
    description: 'Follows one session: a snapshot, then each event. With `after`: the events after it.',
    subscribe: ({ args, context }: SubscribeArgs<SessionArgs>) =>
      withFreshLoaders(
        context,
        sessionEvents(context.live, context.scope('SUBSCRIBE'), args.sessionId, args.after ?? null),
      ),
  })
  supportSessionEvents(
    @Root() item: SessionEventItem,
    @Arg('sessionId', () => ID) _sessionId: string,
    @Arg('after', () => Int, { nullable: true, description: RESUME }) _after: number | null,
  ): Omit<SessionEventItem, 'event'> & { readonly event: EventView | null } {
    return { ...item, event: item.event && eventView(item.event) };
  }

  @Subscription(() => SupportConversationStatus, {
    description:
      'Follows control of one session: the current state, then the state after each change. With `after`: the changes after it.',
    subscribe: ({ args, context }: SubscribeArgs<SessionArgs>) =>
      withFreshLoaders(
        context,
        conversationStatus(context.live, context.scope('SUBSCRIBE'), args.sessionId, args.after ?? null),
      ),
  })
  conversationStatus(
    @Root() item: ConversationStatus,
    @Arg('sessionId', () => ID) _sessionId: string,
    @Arg('after', () => Int, { nullable: true, description: RESUME }) _after: number | null,
  ): ConversationStatus {
    return item;
  }

  @Subscription(() => HandoffChangeItem, {
    description:
      'Follows the handoffs that match a filter: the live ones, then each change, including those by which a handoff leaves the filter. With `after`: the changes after it.',
    subscribe: ({
      args,
      context,
    }: SubscribeArgs<{ readonly filter?: HandoffFilterInput | null; readonly after?: string | null }>) =>
      withFreshLoaders(
        context,
        handoffChanges(context.live, context.scope('SUBSCRIBE'), filterOf(args.filter), args.after ?? null),
      ),
  })
  handoffChanges(
    @Root() { event, ...item }: ChangeItem,
    @Arg('filter', () => HandoffFilterInput, { nullable: true }) _filter: HandoffFilterInput | null,
    @Arg('after', () => String, {
      nullable: true,
      description:
        'The last `cursor` that you have seen. All later changes follow, in order and without a gap, and there is no snapshot.',
    })
    _after: string | null,
  ): Omit<ChangeItem, 'event'> & { readonly change: EventView | null } {
    return { ...item, change: event && eventView(event) };
  }

  @Subscription(() => SupportRuntimeDelivery, {
    description:
      'Deliveries that the runtime must collect: all pending ones, then each new one. Those that are not acknowledged are repeated by the next subscription.',
    subscribe: ({ args, context }: SubscribeArgs<{ readonly chatbotId: string }>) =>
      withFreshLoaders(context, runtimeDeliveries(context.live, context.scope('SUBSCRIBE'), args.chatbotId)),
  })
  supportRuntimeDeliveries(
    @Root() delivery: RuntimeDelivery,
    @Arg('chatbotId', () => ID) _chatbotId: string,
  ): RuntimeDelivery {
    return delivery;
  }
}

@Resolver(() => SupportConversationStatus)
export class SupportConversationStatusFields {
  @FieldResolver(() => SupportSession)
  session(@Root() { sessionId }: ConversationStatus, @Ctx() context: OperationContext): Promise<SessionRecord | null> {
    return context.loaders.session.load(sessionId);
  }

  @FieldResolver(() => Handoff, {
    nullable: true,
    description: 'The newest handoff as of this event, live or over; its fields are current.',
  })
  async handoff(
    @Root() { handoffId }: ConversationStatus,
    @Ctx() context: OperationContext,
  ): Promise<HandoffRecord | null> {
    return handoffId === null ? null : context.loaders.handoff.load(handoffId);
  }
}

import { type ClassType, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { RuntimeDelivery } from '../../core/delivery';
import { refusedFileName } from '../../core/external-message';
import type { HandoffRecord } from '../../core/handoff';
import type { MessageRecord } from '../../core/message';
import type { SessionRecord } from '../../core/session';
import { OperationContext } from '../operation/context';
import { Handoff, HandoffOutcome } from '../handoffs/types';
import {
  HandoffOutcomeNotice,
  HandoffStateNotice,
  HandoffSurveyNotice,
  SupportFileNotDeliveredNotice,
  SupportMessageDeletedNotice,
  type NoticeView,
  SupportMessageDeliveredNotice,
  SupportMessageNotice,
  SupportMessageUndeliveredNotice,
  SupportRuntimeDelivery,
  SupportRuntimeNotice,
} from './delivery-types';
import { SupportMessage, SupportSession } from '../sessions/types';
import { outcomeView, type OutcomeView } from '../handoffs/fields';

@Resolver(() => SupportRuntimeDelivery)
export class SupportRuntimeDeliveryFields {
  @FieldResolver(() => SupportSession)
  session(@Root() { sessionId }: RuntimeDelivery, @Ctx() context: OperationContext): Promise<SessionRecord | null> {
    return context.loaders.session.load(sessionId);
  }

  @FieldResolver(() => SupportRuntimeNotice)
  notice(@Root() { notice }: RuntimeDelivery): NoticeView {
    switch (notice.kind) {
      case 'MESSAGE':
        return { __typename: 'SupportMessageNotice', messageId: notice.messageId };
      case 'MESSAGE_DELETED':
        return { __typename: 'SupportMessageDeletedNotice', messageId: notice.messageId };
      case 'FILE_NOT_DELIVERED':
        return {
          __typename: 'SupportFileNotDeliveredNotice',
          messageId: notice.messageId,
          index: notice.index,
          code: notice.code,
        };
      case 'MESSAGE_UNDELIVERED':
        return {
          __typename: 'SupportMessageUndeliveredNotice',
          messageId: notice.messageId,
          code: notice.code,
          deliveryOutcome: notice.outcome,
        };
      case 'MESSAGE_DELIVERED':
        return { __typename: 'SupportMessageDeliveredNotice', messageId: notice.messageId };
      case 'SURVEY':
        return { __typename: 'HandoffSurveyNotice', handoffId: notice.handoffId };
      case 'HANDOFF_STATE':
        return { __typename: 'HandoffStateNotice', handoffId: notice.handoffId, state: notice.state };
      case 'HANDOFF_OUTCOME':
        return { __typename: 'HandoffOutcomeNotice', handoffId: notice.handoffId };
    }
  }
}

interface HandoffNotice {
  readonly handoffId: string;
}

/** Creates the resolver of `message` for one type of notice. */
function messageFields(of: ClassType) {
  @Resolver(() => of)
  class MessageNoticeFields {
    @FieldResolver(() => SupportMessage)
    message(
      @Root() { messageId }: { readonly messageId: string },
      @Ctx() context: OperationContext,
    ): Promise<MessageRecord | null> {
      return context.loaders.message.load(messageId);
    }
  }
  return MessageNoticeFields;
}

export const MessageNoticeFields = [
  SupportMessageNotice,
  SupportMessageDeletedNotice,
  SupportMessageUndeliveredNotice,
  SupportMessageDeliveredNotice,
].map(messageFields);

@Resolver(() => SupportFileNotDeliveredNotice)
export class SupportFileNotDeliveredNoticeFields {
  @FieldResolver(() => SupportMessage)
  message(
    @Root() { messageId }: { readonly messageId: string },
    @Ctx() context: OperationContext,
  ): Promise<MessageRecord | null> {
    return context.loaders.message.load(messageId);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'The name of the file; null once its message was deleted.',
  })
  async name(
    @Root() { messageId, index }: { readonly messageId: string; readonly index: number },
    @Ctx() context: OperationContext,
  ): Promise<string | null> {
    const message = await context.loaders.message.load(messageId);
    return message && refusedFileName(message, index);
  }
}

@Resolver(() => HandoffSurveyNotice)
export class HandoffSurveyNoticeFields {
  @FieldResolver(() => Handoff)
  handoff(@Root() { handoffId }: HandoffNotice, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return context.loaders.handoff.load(handoffId);
  }
}

@Resolver(() => HandoffStateNotice)
export class HandoffStateNoticeFields {
  @FieldResolver(() => Handoff)
  handoff(@Root() { handoffId }: HandoffNotice, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return context.loaders.handoff.load(handoffId);
  }
}

@Resolver(() => HandoffOutcomeNotice)
export class HandoffOutcomeNoticeFields {
  @FieldResolver(() => Handoff)
  handoff(@Root() { handoffId }: HandoffNotice, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return context.loaders.handoff.load(handoffId);
  }

  @FieldResolver(() => HandoffOutcome)
  async outcome(@Root() { handoffId }: HandoffNotice, @Ctx() context: OperationContext): Promise<OutcomeView | null> {
    const handoff = await context.loaders.handoff.load(handoffId);
    return handoff && outcomeView(handoff);
  }
}

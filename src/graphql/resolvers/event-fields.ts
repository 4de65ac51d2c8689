import { Ctx, FieldResolver, Resolver, Root, type ClassType } from 'type-graphql';
import type { EventRecord } from '../../core/event';
import type { HandoffRecord } from '../../core/handoff';
import type { MessageRecord } from '../../core/message';
import { OperationContext } from '../context';
import { SupportMessageDeleted, SupportMessageEdited, SupportMessageReacted, SupportMessageRecorded, SupportSessionEvent } from '../types/event';
import { Handoff } from '../types/handoff';
import { SupportMessage } from '../types/session';

@Resolver(() => SupportSessionEvent)
export class SupportSessionEventFields {
  @FieldResolver(() => Handoff, { nullable: true, description: 'The handoff that it belongs to, as it is now.' })
  async handoff(@Root() { handoffId }: EventRecord, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return handoffId === null ? null : context.loaders.handoff.load(handoffId);
  }
}

/** Alike in all of them, so that a query may ask each type for `message`. */
function messageFields(type: ClassType<SupportSessionEvent>) {
  @Resolver(() => type)
  class MessageFields {
    @FieldResolver(() => SupportMessage, { nullable: true, description: 'Null: it was older than messages are kept.' })
    message(@Root() { messageId }: { readonly messageId: string }, @Ctx() context: OperationContext): Promise<MessageRecord | null> {
      return context.loaders.message.load(messageId);
    }
  }
  return MessageFields;
}

export const MessageEventFields = [SupportMessageRecorded, SupportMessageDeleted, SupportMessageEdited, SupportMessageReacted].map(messageFields);

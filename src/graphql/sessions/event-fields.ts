import { Ctx, FieldResolver, Resolver, Root, type ClassType } from 'type-graphql';
import type { EventRecord } from '../../core/event';
import type { HandoffRecord } from '../../core/handoff';
import type { MessageRecord } from '../../core/message';
import { OperationContext } from '../operation/context';
import {
  SupportMessageDeleted,
  SupportMessageEdited,
  SupportMessageReacted,
  SupportMessageRecorded,
  SupportSessionEvent,
} from './event-types';
import { Handoff } from '../handoffs/types';
import { SupportMessage } from './types';

@Resolver(() => SupportSessionEvent)
export class SupportSessionEventFields {
  @FieldResolver(() => Handoff, {
    nullable: true,
    description: 'The current state of the handoff to which the event belongs.',
  })
  async handoff(@Root() { handoffId }: EventRecord, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return handoffId === null ? null : context.loaders.handoff.load(handoffId);
  }
}

/** Creates the same resolver of `message` for each type, so that a query can select the field in all of them. */
function messageFields(type: ClassType<SupportSessionEvent>) {
  @Resolver(() => type)
  class MessageFields {
    @FieldResolver(() => SupportMessage, {
      nullable: true,
      description: 'Null: the message was older than the retention period and was removed.',
    })
    message(
      @Root() { messageId }: { readonly messageId: string },
      @Ctx() context: OperationContext,
    ): Promise<MessageRecord | null> {
      return context.loaders.message.load(messageId);
    }
  }
  return MessageFields;
}

export const MessageEventFields = [
  SupportMessageRecorded,
  SupportMessageDeleted,
  SupportMessageEdited,
  SupportMessageReacted,
].map(messageFields);

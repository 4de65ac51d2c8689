import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { EventRecord } from '../../core/event';
import type { HandoffRecord } from '../../core/handoff';
import type { MessageRecord } from '../../core/message';
import { OperationContext } from '../context';
import { SupportMessageDeleted, SupportMessageEdited, SupportMessageReacted, SupportMessageRecorded, SupportSessionEvent } from '../types/event';
import { Handoff } from '../types/handoff';
import { SupportMessage } from '../types/session';

const REMOVED = { nullable: true, description: 'Null: it was older than messages are kept.' } as const;

@Resolver(() => SupportSessionEvent)
export class SupportSessionEventFields {
  @FieldResolver(() => Handoff, { nullable: true, description: 'The handoff that it belongs to, as it is now.' })
  async handoff(@Root() { handoffId }: EventRecord, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return handoffId === null ? null : context.loaders.handoff.load(handoffId);
  }
}

@Resolver(() => SupportMessageDeleted)
export class SupportMessageDeletedFields {
  @FieldResolver(() => SupportMessage, REMOVED)
  message(@Root() { messageId }: { readonly messageId: string }, @Ctx() context: OperationContext): Promise<MessageRecord | null> {
    return context.loaders.message.load(messageId);
  }
}

@Resolver(() => SupportMessageRecorded)
export class SupportMessageRecordedFields {
  @FieldResolver(() => SupportMessage, REMOVED)
  message(@Root() { messageId }: { readonly messageId: string }, @Ctx() context: OperationContext): Promise<MessageRecord | null> {
    return context.loaders.message.load(messageId);
  }
}

@Resolver(() => SupportMessageEdited)
export class SupportMessageEditedFields {
  @FieldResolver(() => SupportMessage)
  message(@Root() { messageId }: { readonly messageId: string }, @Ctx() context: OperationContext): Promise<MessageRecord | null> {
    return context.loaders.message.load(messageId);
  }
}

@Resolver(() => SupportMessageReacted)
export class SupportMessageReactedFields {
  @FieldResolver(() => SupportMessage)
  message(@Root() { messageId }: { readonly messageId: string }, @Ctx() context: OperationContext): Promise<MessageRecord | null> {
    return context.loaders.message.load(messageId);
  }
}

import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { botMayAnswer } from '../../core/control';
import type { HandoffRecord } from '../../core/handoff';
import type { MessageContent } from '../../core/content';
import { toExternalMessage } from '../../core/external-message';
import type { Attachment, MessageRecord, Reaction } from '../../core/message';
import type { SessionRecord } from '../../core/session';
import type { AgentRecord, InboxRecord } from '../../core/setup';
import { OperationContext } from '../operation/context';
import { ListSize } from '../cost/list-size';
import { SupportMessageContent } from '../messages/content-types';
import { type EventView, eventView, SupportSessionEvent } from './event-types';
import { Handoff } from '../handoffs/types';
import { Chatbot, Organization } from '../platform/types';
import { SupportAttachment, SupportMessage, SupportMessageConnection, SupportReaction, SupportSession } from './types';
import { DateTime } from '../shared/scalars';
import { SupportAgent, SupportInbox } from '../setup/types';
import { validateFirst, toConnection, pageRequest } from '../shared/parse-input';

interface Reference {
  readonly id: string;
}
const nullable = { nullable: true } as const;

@Resolver(() => SupportSession)
export class SupportSessionFields {
  @FieldResolver(() => Organization)
  organization(@Root() { organizationId }: SessionRecord): Reference {
    return { id: organizationId };
  }

  @FieldResolver(() => Chatbot)
  chatbot(@Root() { chatbotId }: SessionRecord): Reference {
    return { id: chatbotId };
  }

  @FieldResolver(() => SupportInbox)
  inbox(@Root() { inboxId }: SessionRecord, @Ctx() context: OperationContext): Promise<InboxRecord | null> {
    return context.loaders.inbox.load(inboxId);
  }

  @FieldResolver(() => Boolean, { description: 'True if a bot message with this epoch would reach the end-user now.' })
  async mayReply(
    @Root() { inboxId, control, closedAt }: SessionRecord,
    @Ctx() context: OperationContext,
  ): Promise<boolean> {
    if (closedAt !== null || control === 'HUMAN') return false;
    const inbox = await context.loaders.inbox.load(inboxId);
    return botMayAnswer(control, inbox?.policy.whileWaiting ?? 'SILENT');
  }

  @FieldResolver(() => Handoff, nullable)
  async liveHandoff(
    @Root() { liveHandoffId }: SessionRecord,
    @Ctx() context: OperationContext,
  ): Promise<HandoffRecord | null> {
    return liveHandoffId === null ? null : context.loaders.handoff.load(liveHandoffId);
  }

  @FieldResolver(() => Handoff, {
    ...nullable,
    description: 'The newest handoff, live or over; `outcome` is set once it is over. Null: the session had none.',
  })
  lastHandoff(@Root() { id }: SessionRecord, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return context.loaders.lastHandoff.load(id);
  }

  @FieldResolver(() => String, { ...nullable, description: "The provider's id of the conversation, once it exists." })
  conversationExternalId(@Root() { conversationId }: SessionRecord): string | null {
    return conversationId;
  }

  @FieldResolver(() => SupportMessageConnection, { description: 'Oldest first.' })
  async messages(
    @Root() session: SessionRecord,
    @Arg('first', () => Int, nullable) first: number | null,
    @Arg('after', () => String, nullable) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<object> {
    const request = pageRequest(first, after);
    const page = await context.loaders.messagesOfSession.load({ sessionId: session.id, ...request });
    return toConnection(page, request, message => message);
  }

  @FieldResolver(() => Int, {
    description: 'The `seq` of the oldest event that is kept; retention removed earlier ones.',
  })
  firstEventSeq(@Root() { removedHistory }: SessionRecord): number {
    return (removedHistory?.eventSeq ?? 0) + 1;
  }

  @FieldResolver(() => [SupportSessionEvent], {
    description: 'Events after the number `after`, ascending. Without `after`: from the oldest event that is kept.',
  })
  async events(
    @Root() session: SessionRecord,
    @Arg('after', () => Int, nullable) after: number | null,
    @Arg('first', () => Int, nullable) first: number | null,
    @Ctx() context: OperationContext,
  ): Promise<readonly EventView[]> {
    const found = await context.loaders.eventsOfSession.load({
      sessionId: session.id,
      afterSeq: after ?? null,
      limit: validateFirst(first),
    });
    return found.map(eventView);
  }
}

@Resolver(() => SupportMessage)
export class SupportMessageFields {
  constructor(private readonly fileUrl?: (message: MessageRecord, index: number, name: string) => string) {}

  @FieldResolver(() => String, {
    description: 'The whole message as plain text, with `content` written out. Empty once the message was deleted.',
  })
  text(@Root() message: MessageRecord): string {
    return toExternalMessage(message).text;
  }

  @ListSize(3)
  @FieldResolver(() => [SupportAttachment], {
    description:
      'Files of the message. Their links come from this service and expire after a day: query again for new ones. Empty once the message was deleted.',
  })
  attachments(@Root() message: MessageRecord): readonly Attachment[] {
    const { fileUrl } = this;
    return toExternalMessage(message).files.map(({ file, index }) =>
      fileUrl === undefined ? file : { ...file, url: fileUrl(message, index, file.name) },
    );
  }

  @FieldResolver(() => SupportMessageContent, {
    ...nullable,
    description:
      'Structured content to be displayed as such. A channel that does not support its type shows `text`. Null once the message was deleted.',
  })
  content(@Root() message: MessageRecord): MessageContent | null {
    return toExternalMessage(message).content;
  }

  // A result that an earlier version stored for its idempotency key lacks the fields below.

  @ListSize(2)
  @FieldResolver(() => [SupportReaction], { description: 'At most one of the end-user and one of the bot.' })
  reactions(@Root() { reactions }: MessageRecord): readonly Reaction[] {
    return reactions ?? [];
  }

  @FieldResolver(() => DateTime, {
    description:
      "When the message was written: the runtime's value, otherwise `createdAt`. Messages are always ordered by `seq`.",
  })
  saidAt(@Root() { saidAt, createdAt }: MessageRecord): string {
    return saidAt ?? createdAt;
  }

  @FieldResolver(() => SupportSession)
  session(@Root() { sessionId }: MessageRecord, @Ctx() context: OperationContext): Promise<SessionRecord | null> {
    return context.loaders.session.load(sessionId);
  }

  @FieldResolver(() => SupportMessage, { ...nullable, description: 'The message to which it replies.' })
  async replyTo(
    @Root() { replyToMessageId }: MessageRecord,
    @Ctx() context: OperationContext,
  ): Promise<MessageRecord | null> {
    return replyToMessageId === null ? null : context.loaders.message.load(replyToMessageId);
  }

  @FieldResolver(() => SupportAgent, { ...nullable, description: 'Set if a listed agent wrote it.' })
  async agent(@Root() { agentId }: MessageRecord, @Ctx() context: OperationContext): Promise<AgentRecord | null> {
    return agentId === null ? null : context.loaders.agent.load(agentId);
  }

  @FieldResolver(() => Handoff, { ...nullable, description: 'The handoff during which it was recorded.' })
  async handoff(@Root() { handoffId }: MessageRecord, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return handoffId === null ? null : context.loaders.handoff.load(handoffId);
  }

  @FieldResolver(() => String, { ...nullable, description: "The provider's id, once the message is there." })
  externalId(@Root() { providerMessageId }: MessageRecord): string | null {
    return providerMessageId;
  }
}

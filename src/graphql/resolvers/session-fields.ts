import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { botMayAnswer } from '../../core/control';
import type { HandoffRecord } from '../../core/handoff';
import type { MessageContent } from '../../core/content';
import { handedOut } from '../../core/handed-out';
import type { Attachment, MessageRecord, Reaction } from '../../core/message';
import type { SessionRecord } from '../../core/session';
import type { AgentRecord, InboxRecord } from '../../core/setup';
import { OperationContext } from '../context';
import { ListSize } from '../cost/list-size';
import { SupportMessageContent } from '../types/content';
import { type EventView, eventView, SupportSessionEvent } from '../types/event';
import { Handoff } from '../types/handoff';
import { Chatbot, Organization } from '../types/platform';
import { SupportAttachment, SupportMessage, SupportMessageConnection, SupportReaction, SupportSession } from '../types/session';
import { DateTime } from '../types/scalars';
import { SupportAgent, SupportInbox } from '../types/setup';
import { checkedFirst, connection, pageRequest } from './input';

interface Reference { readonly id: string }
const nullable = { nullable: true } as const;

@Resolver(() => SupportSession)
export class SupportSessionFields {
  @FieldResolver(() => Organization)
  organization(@Root() { organizationId }: SessionRecord): Reference { return { id: organizationId }; }

  @FieldResolver(() => Chatbot)
  chatbot(@Root() { chatbotId }: SessionRecord): Reference { return { id: chatbotId }; }

  @FieldResolver(() => SupportInbox)
  inbox(@Root() { inboxId }: SessionRecord, @Ctx() context: OperationContext): Promise<InboxRecord | null> { return context.loaders.inbox.load(inboxId); }

  @FieldResolver(() => Boolean, { description: 'Whether a bot message with this epoch would reach the end-user now.' })
  async mayReply(@Root() { inboxId, control, closedAt }: SessionRecord, @Ctx() context: OperationContext): Promise<boolean> {
    if (closedAt !== null || control === 'HUMAN') return false;
    const inbox = await context.loaders.inbox.load(inboxId);
    return botMayAnswer(control, inbox?.policy.whileWaiting ?? 'HOLD');
  }

  @FieldResolver(() => Handoff, nullable)
  async liveHandoff(@Root() { liveHandoffId }: SessionRecord, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return liveHandoffId === null ? null : context.loaders.handoff.load(liveHandoffId);
  }

  @FieldResolver(() => Handoff, { ...nullable, description: 'The newest handoff, live or over; once it is over, its `outcome` says how it ended. Null: there was none.' })
  lastHandoff(@Root() { id }: SessionRecord, @Ctx() context: OperationContext): Promise<HandoffRecord | null> { return context.loaders.lastHandoff.load(id); }

  @FieldResolver(() => String, { ...nullable, description: 'The provider\'s own id of the conversation, once there is one.' })
  conversationExternalId(@Root() { conversationId }: SessionRecord): string | null { return conversationId; }

  @FieldResolver(() => SupportMessageConnection, { description: 'Oldest first.' })
  async messages(
    @Root() session: SessionRecord, @Arg('first', () => Int, nullable) first: number | null,
    @Arg('after', () => String, nullable) after: string | null, @Ctx() context: OperationContext,
  ): Promise<object> {
    const request = pageRequest(first, after);
    const page = await context.loaders.messagesOfSession.load({ sessionId: session.id, ...request });
    return connection(page, request, (message) => message);
  }

  @FieldResolver(() => Int, { description: 'Number of the oldest event that is kept; those before it were removed with time.' })
  firstEventSeq(@Root() { forgotten }: SessionRecord): number { return (forgotten?.eventSeq ?? 0) + 1; }

  @FieldResolver(() => [SupportSessionEvent], { description: 'Behind the number `after`, ascending; from the oldest that is kept without it.' })
  async events(
    @Root() session: SessionRecord, @Arg('after', () => Int, nullable) after: number | null,
    @Arg('first', () => Int, nullable) first: number | null, @Ctx() context: OperationContext,
  ): Promise<readonly EventView[]> {
    const found = await context.loaders.eventsOfSession.load({ sessionId: session.id, afterSeq: after ?? null, limit: checkedFirst(first) });
    return found.map(eventView);
  }
}

@Resolver(() => SupportMessage)
export class SupportMessageFields {
  constructor(private readonly fileUrl?: (message: MessageRecord, index: number, name: string) => string) {}

  @FieldResolver(() => String, { description: 'All of it in words: what `content` holds is written out here too. Empty once the message was deleted.' })
  text(@Root() message: MessageRecord): string { return handedOut(message).text; }

  @ListSize(3)
  @FieldResolver(() => [SupportAttachment], { description: 'Files have links of ours, which expire after a day: ask again for fresh ones. Empty once the message was deleted.' })
  attachments(@Root() message: MessageRecord): readonly Attachment[] {
    const { fileUrl } = this;
    return handedOut(message).files.map(({ file, index }) => (fileUrl === undefined ? file : { ...file, url: fileUrl(message, index, file.name) }));
  }

  @FieldResolver(() => SupportMessageContent, { ...nullable, description: 'What of it is more than words, to be shown as what it is. A channel that does not know the type shows `text`. Null once the message was deleted.' })
  content(@Root() message: MessageRecord): MessageContent | null { return handedOut(message).content; }

  // An answer that was kept for its key by an earlier version lacks them.

  @ListSize(2)
  @FieldResolver(() => [SupportReaction], { description: 'At most one of the end-user and one of the bot.' })
  reactions(@Root() { reactions }: MessageRecord): readonly Reaction[] { return reactions ?? []; }

  @FieldResolver(() => DateTime, { description: 'When it was said: as the runtime gave it, else `createdAt`. Messages stand in the order of `seq`, whatever it is.' })
  saidAt(@Root() { saidAt, createdAt }: MessageRecord): string { return saidAt ?? createdAt; }

  @FieldResolver(() => SupportSession)
  session(@Root() { sessionId }: MessageRecord, @Ctx() context: OperationContext): Promise<SessionRecord | null> { return context.loaders.session.load(sessionId); }

  @FieldResolver(() => SupportMessage, { ...nullable, description: 'The message that it answers.' })
  async replyTo(@Root() { replyToMessageId }: MessageRecord, @Ctx() context: OperationContext): Promise<MessageRecord | null> {
    return replyToMessageId === null ? null : context.loaders.message.load(replyToMessageId);
  }

  @FieldResolver(() => SupportAgent, { ...nullable, description: 'Set when a listed agent said it.' })
  async agent(@Root() { agentId }: MessageRecord, @Ctx() context: OperationContext): Promise<AgentRecord | null> {
    return agentId === null ? null : context.loaders.agent.load(agentId);
  }

  @FieldResolver(() => Handoff, { ...nullable, description: 'The handoff during which it was said.' })
  async handoff(@Root() { handoffId }: MessageRecord, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return handoffId === null ? null : context.loaders.handoff.load(handoffId);
  }

  @FieldResolver(() => String, { ...nullable, description: 'The provider\'s own id, once it is there.' })
  externalId(@Root() { providerMessageId }: MessageRecord): string | null { return providerMessageId; }
}


import type { ProviderMark } from '../../delivery';
import { UnsupportedByProviderError } from '../../errors';
import type { ConversationAccess } from '../../ports/provider/access';
import { conversationOfDelivery, recordPostTime, type DeliveryContext } from './delivery-context';

/**
 * Delivers one mark to the provider. A mark counts as delivered if the provider has no verb for it or the conversation
 * is gone.
 */
export async function deliverMark(context: DeliveryContext, mark: ProviderMark): Promise<void> {
  const { deps, provider, account } = context;
  const conversation = conversationOfDelivery(context);
  if (conversation === null) return;
  try {
    switch (mark.kind) {
      case 'POST_NOTE': {
        if (!account.capabilities.privateNotes) return;
        // A sync may already have passed our note, so the lookup starts at `about`.
        await provider.postNote({
          conversation,
          noteId: mark.noteId,
          text: mark.text,
          mayExist: !context.isFirstAttempt,
          lookupAfter: mark.about ?? null,
        });
        return await context.transact(tx => recordPostTime(tx, deps));
      }
      case 'REPORT_DELIVERY': {
        const message = await deps.stores.messages.get(context.delivery.organizationId, mark.messageId);
        if (message?.providerMessageId == null) return;
        return await provider.reportDelivery?.({
          conversation,
          messageId: message.providerMessageId,
          state: mark.state,
          error: mark.error,
        });
      }
      case 'MARK_READ':
        return await markRead(context, conversation, mark);
      case 'ANSWER_SURVEY': {
        const survey = context.handoff?.survey;
        if (!survey?.answer) return;
        const { rating, comment } = survey.answer;
        await provider.answerSurvey?.({ conversation, surveyId: survey.externalId, rating, comment });
      }
    }
  } catch (error) {
    if (!(error instanceof UnsupportedByProviderError)) throw error;
  }
}

type MarkRead = Extract<ProviderMark, { readonly kind: 'MARK_READ' }>;

/**
 * Marks everything as read at once. If an agent has sent more since, which the end-user may not have read, it marks the
 * messages one by one.
 */
async function markRead(
  { deps, provider, session: { organizationId, id } }: DeliveryContext,
  conversation: ConversationAccess,
  { throughSeq, messageIds }: MarkRead,
): Promise<void> {
  if (
    provider.markRead !== undefined &&
    !(await deps.stores.messages.hasAgentMessageSince(organizationId, id, throughSeq))
  )
    return provider.markRead(conversation);
  for (const message of await deps.stores.messages.getMany(organizationId, messageIds)) {
    if (message?.providerMessageId == null || message.channelState !== 'READ') continue;
    await provider.reportDelivery?.({
      conversation,
      messageId: message.providerMessageId,
      state: 'READ',
      error: null,
    });
  }
}

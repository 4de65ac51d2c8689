import type { ProviderDelivery, ProviderMark } from '../../delivery';
import { UnsupportedByProviderError } from '../../errors';
import type { ConversationAccess } from '../../ports/provider/access';
import { loadProviderContext, conversationFor, recordPostTime, type ProviderContext } from '../provider-context';
import type { Lease } from '../lease';
import type { FlowDeps } from '../deps';

/**
 * Delivers one mark to the provider. A mark counts as delivered if the provider has no verb for it or the conversation
 * is gone.
 */
export async function deliverMark(
  deps: FlowDeps,
  delivery: ProviderDelivery,
  mark: ProviderMark,
  lease: Lease,
): Promise<void> {
  const { organizationId, sessionId, previousAttempts } = delivery;
  const context = await loadProviderContext(deps, organizationId, sessionId);
  const conversation = conversationFor(deps, context, delivery);
  if (conversation === null) return;
  const { provider, account } = context;
  const signal = () => lease.signal(deps.limits.callMs);
  await lease.ensureHeld();
  try {
    switch (mark.kind) {
      case 'POST_NOTE': {
        if (!account.capabilities.privateNotes) return;
        // Readings pass its echo by and go on: an earlier try may lie before what was read since.
        await provider.postNote(
          {
            conversation,
            noteId: mark.noteId,
            text: mark.text,
            mayExist: previousAttempts > 0,
            lookupAfter: mark.about ?? null,
          },
          signal(),
        );
        await deps.stores.sessions.transact(organizationId, sessionId, tx => recordPostTime(tx, deps));
        return;
      }
      case 'REPORT_DELIVERY': {
        const message = await deps.stores.messages.get(organizationId, mark.messageId);
        if (message?.providerMessageId == null) return;
        await provider.reportDelivery?.(
          { conversation, messageId: message.providerMessageId, state: mark.state, error: mark.error },
          signal(),
        );
        return;
      }
      case 'MARK_READ':
        return await markRead(deps, context, conversation, mark, lease);
      case 'ANSWER_SURVEY': {
        const survey = (await deps.stores.handoffs.get(organizationId, mark.handoffId))?.survey;
        if (!survey?.answer) return;
        await provider.answerSurvey?.(
          { conversation, surveyId: survey.externalId, rating: survey.answer.rating, comment: survey.answer.comment },
          signal(),
        );
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
  deps: FlowDeps,
  { provider, session: { organizationId, id } }: ProviderContext,
  conversation: ConversationAccess,
  { throughSeq, messageIds }: MarkRead,
  lease: Lease,
): Promise<void> {
  const signal = () => lease.signal(deps.limits.callMs);
  if (
    provider.markRead !== undefined &&
    !(await deps.stores.messages.hasAgentMessageSince(organizationId, id, throughSeq))
  )
    return provider.markRead(conversation, signal());
  for (const message of await deps.stores.messages.getMany(organizationId, messageIds)) {
    if (message?.providerMessageId == null || message.channelState !== 'READ') continue;
    await lease.ensureHeld();
    await provider.reportDelivery?.(
      { conversation, messageId: message.providerMessageId, state: 'READ', error: null },
      signal(),
    );
  }
}

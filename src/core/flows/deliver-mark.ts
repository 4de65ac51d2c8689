import type { ProviderDelivery, ProviderMark } from '../delivery';
import { UnsupportedByProviderError } from '../errors';
import { connect, conversationOf } from './conversation';
import type { Lease } from './deliver';
import type { FlowDeps } from './deps';

/** One small thing for the agents to see. What the provider has no verb for, or no conversation any more, is done. */
export async function deliverMark(deps: FlowDeps, delivery: ProviderDelivery, mark: ProviderMark, lease: Lease): Promise<void> {
  const { organizationId, sessionId, earlierAttempts } = delivery;
  const connected = await connect(deps, organizationId, sessionId);
  const conversation = conversationOf(deps, connected);
  if (conversation === null) return;
  const { provider, account, session } = connected;
  const signal = AbortSignal.timeout(deps.limits.callMs);
  await lease.held();
  try {
    switch (mark.kind) {
      case 'POST_NOTE': {
        if (!account.capabilities.privateNotes) return;
        await provider.postNote({ conversation, noteId: mark.noteId, text: mark.text, mayExist: earlierAttempts > 0, lookAfter: mark.about ?? session.readAfter }, signal);
        return;
      }
      case 'REPORT_DELIVERY': {
        const message = await deps.stores.messages.get(organizationId, mark.messageId);
        if (message?.providerMessageId == null) return;
        await provider.reportDelivery?.({ conversation, messageId: message.providerMessageId, state: mark.state, error: mark.error }, signal);
        return;
      }
      case 'ANSWER_SURVEY': {
        const survey = (await deps.stores.handoffs.get(organizationId, mark.handoffId))?.survey;
        if (!survey?.answer) return;
        await provider.answerSurvey?.({ conversation, surveyId: survey.externalId, rating: survey.answer.rating, comment: survey.answer.comment }, signal);
      }
    }
  } catch (error) {
    if (!(error instanceof UnsupportedByProviderError)) throw error;
  }
}

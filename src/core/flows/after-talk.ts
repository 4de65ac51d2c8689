import { shortened } from '../checks/text';
import { ConflictError, InvalidInputError, NotFoundError } from '../errors';
import { isUuid } from '../ids';
import { CHANNEL_STATES } from '../message';
import { instantOf } from '../ports/clock';
import type { AnswerSurveyInput, Flows, ReportChannelDeliveryInput, Scope } from './api';
import type { FlowDeps } from './deps';
import { idempotencyOf, transactMessage } from './say';

const MAX_REASON = 500;
const MAX_COMMENT = 5_000;

/** What the runtime tells about things that were said before: whether they arrived, and how it was. */
export function afterTalkFlows(deps: FlowDeps): Pick<Flows, 'reportChannelDelivery' | 'answerSurvey'> {
  const { sessions, handoffs } = deps.stores;
  const now = () => instantOf(deps.clock.now());
  return {
    async reportChannelDelivery(scope: Scope, input: ReportChannelDeliveryInput) {
      // It explains the state, which counts without it.
      const reason = input.error === null ? null : shortened(input.error, MAX_REASON);
      return transactMessage(deps, scope, input.sessionId, idempotencyOf(deps, scope, 'reportChannelDelivery', input), async tx => {
        const message = await tx.message(input.messageId);
        if (message === null || message.author === 'END_USER' || message.visibility === 'INTERNAL')
          throw new InvalidInputError('INPUT_INVALID', 'messageId', 'Not a message to this session\'s end-user; give the id of one that an agent, the bot or we said in public.');
        // What was read cannot become delivered again: reports may come late. A failure is always news.
        const rank = (state: string | null) => (state === null ? -1 : CHANNEL_STATES.indexOf(state as never));
        if (input.state !== 'FAILED' && message.channelState !== 'FAILED' && rank(message.channelState) >= rank(input.state)) return { message };
        if (message.channelState === input.state) return { message };
        await tx.updateMessage(message.id, { channelState: input.state });
        await tx.appendEvent({ type: 'MESSAGE_STATE_CHANGED', messageId: message.id, state: input.state }, message.handoffId, now());
        if (message.author === 'AGENT') await tx.oweProvider({ kind: 'REPORT_DELIVERY', messageId: message.id, state: input.state, error: reason });
        return { message: { ...message, channelState: input.state } };
      });
    },

    async answerSurvey(scope: Scope, input: AnswerSurveyInput) {
      if ((input.comment?.length ?? 0) > MAX_COMMENT) throw new InvalidInputError('TEXT_TOO_LONG', 'comment', `comment takes at most ${MAX_COMMENT} characters.`);
      const found = isUuid(input.handoffId) ? await handoffs.get(scope.organizationId, input.handoffId) : null;
      if (found === null) throw new NotFoundError('HANDOFF_NOT_FOUND', 'handoffId', 'No such handoff; its id comes with the survey.');
      const { answer, replayed } = await sessions.transact(scope.organizationId, found.sessionId, async tx => {
        const handoff = (await tx.handoff(input.handoffId))!;
        const { survey } = handoff;
        if (survey === null) throw new ConflictError('NO_SURVEY', 'handoffId', 'Nobody asked for a rating of this handoff; wait for the survey notice.');
        if (!survey.choices.some(({ rating }) => rating === input.rating))
          throw new InvalidInputError('INPUT_INVALID', 'rating', `rating is one of ${survey.choices.map(({ rating }) => rating).join(', ')}.`);
        const updated = await tx.updateHandoff(handoff.id, { survey: { ...survey, answer: { rating: input.rating, comment: input.comment, at: now() } } });
        await tx.appendEvent({ type: 'SURVEY_ANSWERED', rating: input.rating }, handoff.id, now());
        await tx.oweProvider({ kind: 'ANSWER_SURVEY', handoffId: handoff.id });
        return { handoff: updated };
      }, idempotencyOf(deps, scope, 'answerSurvey', input));
      return { ...answer, replayed };
    },
  };
}

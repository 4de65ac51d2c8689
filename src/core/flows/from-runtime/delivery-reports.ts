import { shortenText } from '../../checks/text';
import { ConflictError, InvalidInputError, NotFoundError } from '../../errors';
import { isUuid } from '../../ids';
import { CHANNEL_STATES } from '../../message';
import { instantOf } from '../../ports/clock';
import type { AnswerSurveyInput } from '../api/handoffs';
import type { Flows } from '../api';
import type { ReportChannelDeliveryInput } from '../api/channel';
import type { Scope } from '../api/scope';
import type { MutationDeps } from '../deps';
import { idempotencyScopeOf, transactMessage } from './record-message';

const MAX_REASON = 500;
const MAX_COMMENT = 5_000;

async function reportChannelDelivery(deps: MutationDeps, scope: Scope, input: ReportChannelDeliveryInput) {
  const now = () => instantOf(deps.clock.now());

  // The reason only explains the state, so it is shortened, never refused.
  const reason = input.error === null ? null : shortenText(input.error, MAX_REASON);
  return transactMessage(
    deps,
    scope,
    input.sessionId,
    idempotencyScopeOf(deps, scope, 'reportChannelDelivery', input),
    async tx => {
      const message = await tx.findMessage(input.messageId);
      if (message === null || message.author === 'END_USER' || message.visibility === 'INTERNAL')
        throw new InvalidInputError(
          'INPUT_INVALID',
          'messageId',
          "This is not a message to the session's end-user. Give the id of a public message of an agent, the bot or this service.",
        );
      // Reports may arrive late, so a read message never becomes delivered again. A failure always counts.
      const rankOf = (state: string | null) => (state === null ? -1 : CHANNEL_STATES.indexOf(state as never));
      if (
        input.state !== 'FAILED' &&
        message.channelState !== 'FAILED' &&
        rankOf(message.channelState) >= rankOf(input.state)
      )
        return { message };
      if (message.channelState === input.state) return { message };
      await tx.updateMessage(message.id, { channelState: input.state });
      await tx.appendEvent(
        { type: 'MESSAGE_STATE_CHANGED', messageId: message.id, state: input.state },
        message.handoffId,
        now(),
      );
      if (message.author === 'AGENT')
        await tx.enqueueForProvider({
          kind: 'REPORT_DELIVERY',
          messageId: message.id,
          state: input.state,
          error: reason,
        });
      return { message: { ...message, channelState: input.state } };
    },
  );
}

async function answerSurvey(deps: MutationDeps, scope: Scope, input: AnswerSurveyInput) {
  const { sessions, handoffs } = deps.stores;
  const now = () => instantOf(deps.clock.now());

  if ((input.comment?.length ?? 0) > MAX_COMMENT)
    throw new InvalidInputError(
      'TEXT_TOO_LONG',
      'comment',
      `comment has more than ${MAX_COMMENT} characters. Shorten it.`,
    );
  const found = isUuid(input.handoffId) ? await handoffs.get(scope.organizationId, input.handoffId) : null;
  if (found === null)
    throw new NotFoundError(
      'HANDOFF_NOT_FOUND',
      'handoffId',
      'There is no such handoff. Use the id that came with the survey.',
    );
  const { result, replayed } = await sessions.transact(
    scope.organizationId,
    found.sessionId,
    async tx => {
      const handoff = (await tx.findHandoff(input.handoffId))!;
      const { survey } = handoff;
      if (survey === null)
        throw new ConflictError('NO_SURVEY', 'handoffId', 'This handoff has no survey. Wait for the survey notice.');
      if (!survey.choices.some(({ rating }) => rating === input.rating))
        throw new InvalidInputError(
          'INPUT_INVALID',
          'rating',
          `rating is not a choice of this survey. Give one of ${survey.choices.map(({ rating }) => rating).join(', ')}.`,
        );
      const updated = await tx.updateHandoff(handoff.id, {
        survey: { ...survey, answer: { rating: input.rating, comment: input.comment, at: now() } },
      });
      await tx.appendEvent({ type: 'SURVEY_ANSWERED', rating: input.rating }, handoff.id, now());
      await tx.enqueueForProvider({ kind: 'ANSWER_SURVEY', handoffId: handoff.id });
      return { handoff: updated };
    },
    idempotencyScopeOf(deps, scope, 'answerSurvey', input),
  );
  return { ...result, replayed };
}

/** Mutations about earlier messages and handoffs: delivery reports and survey answers. */
export function deliveryReportFlows(deps: MutationDeps): Pick<Flows, 'reportChannelDelivery' | 'answerSurvey'> {
  return {
    reportChannelDelivery: (scope, input) => reportChannelDelivery(deps, scope, input),
    answerSurvey: (scope, input) => answerSurvey(deps, scope, input),
  };
}

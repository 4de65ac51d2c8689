import { handOver, collectAll, type RecordedCase } from './run-case';
import type { RecordedScene } from './scene';

export const taken = async (scene: RecordedScene): Promise<void> => {
  await scene.setInbox({ csat_survey_enabled: true });
  await scene.alice.assignSelf();
};
export const resolvedAndAsked = async (scene: RecordedScene): Promise<void> => {
  // The activity line about the resolution precedes the survey.
  scene.next(115);
  await scene.alice.resolve();
  await scene.world.double.whenIdle();
};
const answered = async (scene: RecordedScene) => {
  const { uuid } = await scene.world.conversation(scene.sessionId);
  const answer = { csat_survey_response: { rating: 5, feedback_message: 'great' } };
  await scene.world.farSide.call('PUT', `/public/api/v1/csat_survey/${uuid}`, '', {
    message: { submitted_values: answer },
  });
};

export const surveys: readonly RecordedCase[] = [
  {
    file: 'message_created.csat_request.inbox',
    effectName: 'offers the survey to the runtime once',
    given: [handOver, taken, collectAll],
    act: [resolvedAndAsked],
    requestedSync: 'MESSAGES',
    effect: { notices: ['SURVEY'], survey: '116' },
  },
  {
    file: 'message_updated.csat_answer.inbox',
    effectName: 'stores the answer on the handoff',
    given: [handOver, taken, collectAll, resolvedAndAsked, collectAll],
    act: [answered],
    requestedSync: 'MESSAGES',
    effect: { survey: '116 5 great' },
  },
];

import { handOver, settle, type RecordedCase } from './play';
import type { Scene } from './scene';

export const taken = async (scene: Scene): Promise<void> => {
  await scene.setInbox({ csat_survey_enabled: true });
  await scene.alice.assignSelf();
};
export const resolvedAndAsked = async (scene: Scene): Promise<void> => {
  // The activity line about the resolution precedes the survey.
  scene.next(115);
  await scene.alice.resolve();
  await scene.world.double.settled();
};
const answered = async (scene: Scene) => {
  const { uuid } = await scene.world.conversation(scene.sessionId);
  const answer = { csat_survey_response: { rating: 5, feedback_message: 'great' } };
  await scene.world.farSide.call('PUT', `/public/api/v1/csat_survey/${uuid}`, '', { message: { submitted_values: answer } });
};

export const surveys: readonly RecordedCase[] = [
  {
    file: 'message_created.csat_request.inbox', leads: 'the question reaches the runtime once', given: [handOver, taken, settle], act: [resolvedAndAsked],
    wish: 'MESSAGES', effect: { told: ['SURVEY'], survey: '116' },
  },
  {
    file: 'message_updated.csat_answer.inbox', leads: 'the answer stands on the handoff', given: [handOver, taken, settle, resolvedAndAsked, settle], act: [answered],
    wish: 'MESSAGES', effect: { survey: '116 5 great' },
  },
];

import type { HandoffState } from './handoff';

/** Who may answer the end-user now. `NONE`: a person was asked for and has not come yet. */
export type Control = 'BOT' | 'HUMAN' | 'NONE';

/** What the bot may do between the request and the first person. */
export type WhileWaiting = 'HOLD' | 'BOT_MAY_ANSWER';

/**
 * Control belongs to the live handoff's state; without a live handoff the bot has it. A handoff that ENDS keeps the
 * control that it had; what this function says of ENDING holds once an agent's words are on their way.
 */
export function controlFor(state: HandoffState | undefined): Control {
  switch (state) {
    case undefined:
    case 'ENDED':
    case 'REJECTED':
    case 'FAILED':
      return 'BOT';
    case 'REQUESTED':
    case 'QUEUED':
      return 'NONE';
    case 'ASSIGNED':
    case 'ACTIVE':
    case 'ON_HOLD':
    case 'ENDING':
      return 'HUMAN';
  }
}

/** Whether a bot turn that carries the right epoch may reach the end-user. */
export const botMayAnswer = (control: Control, whileWaiting: WhileWaiting): boolean =>
  control === 'BOT' || (control === 'NONE' && whileWaiting === 'BOT_MAY_ANSWER');

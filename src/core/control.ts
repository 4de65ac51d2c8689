import type { HandoffState } from './handoff';

/** The side that may answer the end-user now. `NONE`: an agent was requested and has not come yet. */
export type Control = 'BOT' | 'HUMAN' | 'NONE';

/** Whether the bot may answer between the request and the first agent. */
export type WhileWaiting = 'SILENT' | 'BOT_MAY_ANSWER';

/**
 * Returns the side that has control in a handoff state. Without a live handoff the bot has it. An ENDING handoff keeps
 * its earlier control; `HUMAN` applies only once an agent's message is being delivered.
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

/** Returns whether a bot message with the right epoch may be shown to the end-user. */
export const botMayAnswer = (control: Control, whileWaiting: WhileWaiting): boolean =>
  control === 'BOT' || (control === 'NONE' && whileWaiting === 'BOT_MAY_ANSWER');

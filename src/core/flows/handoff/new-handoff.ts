import type { HandoffRecord } from '../../handoff';

export type NewHandoff = Omit<HandoffRecord, 'organizationId' | 'sessionId' | 'survey'>;

type Beginning = Pick<NewHandoff, 'id' | 'state' | 'origin' | 'historyThroughSeq' | 'requestedAt'>;

/** Returns a handoff as it begins, with no agent and nothing opened. */
export const newHandoff = (given: Beginning & Partial<NewHandoff>): NewHandoff => ({
  reason: null,
  summary: null,
  intent: null,
  fields: {},
  links: [],
  priority: null,
  target: { teamId: null, agentId: null },
  agent: null,
  resumeTarget: null,
  openedForAgents: 'NO',
  timesLost: 0,
  openings: 1,
  endReason: null,
  failureCode: null,
  queuedAt: null,
  assignedAt: null,
  activeAt: null,
  endingAt: null,
  endedAt: null,
  drainBy: null,
  syncBy: null,
  ...given,
});

import type { DeadLetterFilter } from '../core/ports/dead-letter-store';

export const ANY_DEAD_LETTER: DeadLetterFilter = {
  accountId: null,
  chatbotId: null,
  sessionId: null,
  destination: null,
  kind: null,
  code: null,
  parkedBefore: null,
  parkedAfter: null,
};

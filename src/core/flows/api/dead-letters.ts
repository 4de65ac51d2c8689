import type { UserId } from '../../ids';
import type { DeadLetterFilter } from '../../ports/dead-letter-store';
import type { Scope } from './scope';

/** Selects dead letters by exactly one of ids, filter and all. */
export interface DeadLetterSelection {
  readonly ids: readonly string[] | null;
  readonly filter: DeadLetterFilter | null;
  readonly all: boolean;
  /** Continues after an earlier call, so that deliveries that were parked again since are not selected twice. */
  readonly after: string | null;
}

export interface ResendSelection extends DeadLetterSelection {
  /**
   * True: the operator has checked the receiver and found nothing, so the next attempt writes without a lookup. Only
   * with `ids`. If omitted: it looks up first.
   */
  readonly skipLookup?: boolean;
}

export interface DeadLettersResult {
  readonly count: number;
  /** Ids that are not, or no longer, dead letters of this organization. */
  readonly skippedIds: readonly string[];
  readonly hasMore: boolean;
  readonly endCursor: string | null;
}

/** Decides on dead letters. */
export interface DeadLetterFlows {
  /**
   * Resends dead letters, lowest id first: for the provider in their old places, for the runtime after what its inbox
   * already shows. Up to 500 per call. `by`: the operator, if it is a user.
   */
  resendDeadLetters(scope: Scope, selection: ResendSelection, by: UserId | null): Promise<DeadLettersResult>;
  /** Discards dead letters for good; they stay stored. Up to 500 per call. */
  discardDeadLetters(
    scope: Scope,
    selection: DeadLetterSelection,
    reason: string,
    by: UserId | null,
  ): Promise<DeadLettersResult>;
}

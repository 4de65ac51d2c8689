import type { ProviderAgentId, ProviderTeamId } from './ids';

export type ProviderStatus = 'BOT_HELD' | 'OPEN' | 'ON_HOLD' | 'RESOLVED';

/** A conversation's current state at the provider. It is evidence, never a decision. */
export interface ConversationView {
  readonly status: ProviderStatus;
  readonly agent: { readonly externalId: ProviderAgentId; readonly name: string } | null;
  readonly teamId: ProviderTeamId | null;
  /**
   * True: a handoff has left something else on it, e.g. a priority, so it is not as new even if the bot has it. If
   * omitted: no.
   */
  readonly hasResidue?: true;
}

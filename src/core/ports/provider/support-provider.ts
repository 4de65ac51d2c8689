import type { DriftVerbs } from './drift';
import type { LoginVerbs, AgentAndTeamVerbs } from './agents-and-teams';
import type { SetupVerbs } from './setup-verbs';
import type { ConversationVerbs } from './conversation-verbs';
import type { PostVerbs } from './post-verbs';
import type { ReadVerbs } from './read-verbs';

/**
 * One support system. The core decides; a provider only executes and reports.
 *
 * Every verb may be called from several replicas, and again after a crash. It must be idempotent as its own comment
 * says. Each call has an AbortSignal that ends it at the call's time limit.
 *
 * Every verb may throw
 * - ProviderUnavailableError: a later attempt may succeed (`delivered: 'unknown'` after a write that may have taken
 *   effect)
 * - ProviderRefusedError: no retry helps (`gone` if the thing no longer exists there)
 * - ProviderAuthError: our credentials or role there are wrong
 * - UnsupportedByProviderError: the capability is not declared
 *
 * A verb with `mayExist` throws OutcomeUnknownError if its lookup cannot tell whether the write exists, or if the
 * lookup is refused. It then writes nothing, and is not called again for that write until an operator has checked. An
 * error that follows a lookup without a result has `hasNoEarlierWrite` set. If that is false, the error says nothing
 * about earlier attempts.
 *
 * Optional verbs say how the core works without them.
 */
export interface SupportProvider extends SetupVerbs, ConversationVerbs, PostVerbs, ReadVerbs {
  /** If omitted: its verbs throw UNSUPPORTED_BY_PROVIDER. A single account may also lack single capabilities. */
  readonly agentsAndTeams?: AgentAndTeamVerbs;
  readonly login?: LoginVerbs;
  readonly drift?: DriftVerbs;
}

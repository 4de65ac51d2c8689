import type { Events } from './events';
import type { Faults } from './control/faults';
import type { Jobs } from './jobs';
import type { Features, ResolvedOptions } from './options';
import type { RateLimits } from './rate-limits';
import type { Store } from './store';

/** The state that all parts of one double share. */
export interface World {
  readonly options: ResolvedOptions;
  readonly features: Features;
  readonly store: Store;
  readonly jobs: Jobs;
  readonly limits: RateLimits;
  readonly faults: Faults;
  readonly events: Events;
  /** Chatwoot's FRONTEND_URL, the base of links to attachments, surveys and logins. */
  baseUrl: string;
  /** Milliseconds since 1970, by the double's clock. */
  now(): number;
}

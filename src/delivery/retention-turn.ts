import { setTimeout } from 'node:timers/promises';
import type { FlowDeps, Retention } from '../core/flows/deps';
import { NEW_WALK, removeOld, type RetentionWalk } from '../core/flows/retention';
import type { WorkerLog } from './options';

/** Between two batches: the database belongs to the work. */
const PAUSE_MS = 200;
/** Of one batch; a replica that dies in it leaves the next one to another. */
const LEASE_MS = 60_000;
/** Between two walks over everything that is old. */
const EVERY_MS = 3_600_000;

/** Removes what is older than it is kept, batch by batch, on one replica at a time. */
export class RetentionTurn {
  private walk: RetentionWalk | null = null;

  constructor(private readonly deps: FlowDeps, private readonly retention: Retention, private readonly log: Pick<WorkerLog, 'info'>) {}

  /** True: there is more. */
  async turn(): Promise<boolean> {
    const { retention } = this.deps.stores;
    if (!(await retention.claim(LEASE_MS))) return false;
    const { removed, walk } = await removeOld(this.deps, this.retention, this.walk ?? NEW_WALK);
    this.walk = walk;
    if (Object.values(removed).some(count => count > 0)) this.log.info({ ...removed }, 'removed what is older than it is kept');
    if (walk !== null) await setTimeout(PAUSE_MS);
    await retention.rest(walk === null ? EVERY_MS : 0);
    return walk !== null;
  }
}

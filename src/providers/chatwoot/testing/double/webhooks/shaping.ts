import type { Delivery } from './delivery';

/** Selects the deliveries of a rule by event, receiver and part of the URL. */
export interface DeliveryMatch {
  event?: string;
  receiver?: Delivery['receiver'];
  urlIncludes?: string;
}

export interface ShapingRule extends DeliveryMatch {
  /** How many deliveries. If omitted, all future ones. */
  times?: number;
}

type Counted = ShapingRule & { left: number };

export function matches(rule: DeliveryMatch, delivery: Delivery): boolean {
  return (
    (rule.event === undefined || rule.event === delivery.event) &&
    (rule.receiver === undefined || rule.receiver === delivery.receiver) &&
    (rule.urlIncludes === undefined || delivery.url.includes(rule.urlIncludes))
  );
}

/** Drops, duplicates, reorders and holds back webhooks for a test. */
export class Shaping {
  private drops: Counted[] = [];
  private duplicates: Counted[] = [];
  private readonly held: Array<() => void> = [];
  private window: Array<() => Promise<void>> = [];
  private windowSize = 0;
  private windowTimer: NodeJS.Timeout | undefined;
  private paused = false;

  constructor(private readonly run: (job: () => Promise<void>) => void) {}

  drop(rule: ShapingRule): void {
    this.drops.push({ ...rule, left: rule.times ?? Infinity });
  }

  duplicate(rule: ShapingRule): void {
    this.duplicates.push({ ...rule, left: rule.times ?? Infinity });
  }

  /** Collects `size` deliveries, or those of 100 ms, and sends them in reverse order. 0 ends this. */
  reorder(size: number): void {
    this.windowSize = size;
    if (size === 0) this.releaseWindow();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    for (const release of this.held.splice(0)) release();
  }

  clear(): void {
    this.drops = [];
    this.duplicates = [];
    this.reorder(0);
    this.resume();
  }

  isDropped(delivery: Delivery): boolean {
    return take(this.drops, delivery);
  }

  isDuplicated(delivery: Delivery): boolean {
    return take(this.duplicates, delivery);
  }

  schedule(job: () => Promise<void>): void {
    if (this.paused) {
      this.held.push(() => this.schedule(job));
    } else if (this.windowSize === 0) {
      this.run(job);
    } else {
      this.window.push(job);
      if (this.window.length >= this.windowSize) this.releaseWindow();
      else this.windowTimer ??= setTimeout(() => this.releaseWindow(), 100).unref();
    }
  }

  private releaseWindow(): void {
    clearTimeout(this.windowTimer);
    this.windowTimer = undefined;
    const backwards = this.window.reverse();
    this.window = [];
    // One job, so that they are sent in exactly this order.
    if (backwards.length > 0)
      this.run(async () => {
        for (const job of backwards) await job();
      });
  }
}

function take(rules: Counted[], delivery: Delivery): boolean {
  const rule = rules.find(candidate => candidate.left > 0 && matches(candidate, delivery));
  if (!rule) return false;
  rule.left--;
  return true;
}

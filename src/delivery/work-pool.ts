/** Runs claimed work with a fixed concurrency. `freeSlots` is how much more may be claimed. */
export class WorkPool {
  private readonly active = new Set<Promise<void>>();

  constructor(
    private readonly concurrency: number,
    private readonly onRoom: () => void,
  ) {}

  get freeSlots(): number {
    return this.concurrency - this.active.size;
  }

  /** Starts `work`, which must not reject: it handles its own errors. */
  run(work: () => Promise<void>): void {
    const running = work().finally(() => {
      this.active.delete(running);
      this.onRoom();
    });
    this.active.add(running);
  }

  async waitUntilIdle(): Promise<void> {
    while (this.active.size > 0) await Promise.all(this.active);
  }
}

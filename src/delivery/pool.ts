/** Runs claimed work with a fixed concurrency. `room` is how much more may be claimed. */
export class WorkPool {
  private readonly active = new Set<Promise<void>>();

  constructor(private readonly width: number, private readonly onRoom: () => void) {}

  get room(): number { return this.width - this.active.size; }

  /** Starts `work`, which must not reject: it handles its own errors. */
  run(work: () => Promise<void>): void {
    const running = work().finally(() => {
      this.active.delete(running);
      this.onRoom();
    });
    this.active.add(running);
  }

  async drained(): Promise<void> {
    while (this.active.size > 0) await Promise.all(this.active);
  }
}

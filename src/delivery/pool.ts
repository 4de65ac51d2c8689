/** Runs claimed work with a fixed width; `room` says how much more may be claimed. */
export class WorkPool {
  private readonly active = new Set<Promise<void>>();

  constructor(private readonly width: number, private readonly onRoom: () => void) {}

  get room(): number { return this.width - this.active.size; }

  /** `work` must not reject: its errors are part of its work. */
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

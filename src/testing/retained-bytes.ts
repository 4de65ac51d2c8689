import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Returns the bytes of live buffers outside V8's heap. */
function measureRetained(): number {
  // The first collection frees some buffers asynchronously; the second waits for that.
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** Measures the maximum of live bytes above the start, over all measurements. */
export class RetainedBytes {
  max = 0;
  measurements = 0;

  private constructor(private readonly start: number) {}

  /** Starts once the bytes of earlier work are freed. */
  static async now(): Promise<RetainedBytes> {
    for (let held = measureRetained(); ; ) {
      await setTimeout(20);
      const later = measureRetained();
      if (later >= held) return new RetainedBytes(later);
      held = later;
    }
  }

  measure(): void {
    this.measurements += 1;
    this.max = Math.max(this.max, measureRetained() - this.start);
  }
}

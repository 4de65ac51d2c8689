/** Postgres refuses payloads of 8,000 bytes and more. */
const MAX_PAYLOAD = 7_900;
/** Above this, naming sessions costs more than checking all. */
export const MAX_NAMED = 2_000;

/**
 * Sessions that other replicas must still be notified of. Too many to name become "all", so the memory stays bounded
 * while no notification is possible.
 */
export class PendingNotifications {
  private readonly named = new Set<string>();
  private includesAll = false;

  get size(): number {
    return this.named.size;
  }
  get isEmpty(): boolean {
    return !this.includesAll && this.named.size === 0;
  }

  add(ids: Iterable<string>): void {
    for (const id of ids) {
      if (this.includesAll) return;
      this.named.add(id);
      if (this.named.size > MAX_NAMED) this.addAll();
    }
  }

  addAll(): void {
    this.includesAll = true;
    this.named.clear();
  }

  /** Takes the pending payloads, each below the limit. They count as sent from now on. */
  takePayloads(): { readonly payloads: readonly string[]; putBack(): void } {
    const ids = [...this.named];
    const wasEverybody = this.includesAll;
    this.named.clear();
    this.includesAll = false;
    return {
      payloads: wasEverybody ? ['[]'] : encodePayloads(ids),
      putBack: () => (wasEverybody ? this.addAll() : this.add(ids)),
    };
  }
}

/** Encodes ids as JSON arrays, each below the payload limit. An empty array means "all". */
export function encodePayloads(ids: readonly string[]): string[] {
  const chunks: string[][] = [];
  let size = MAX_PAYLOAD;
  for (const id of ids) {
    const bytes = Buffer.byteLength(JSON.stringify(id)) + 1;
    if (size + bytes > MAX_PAYLOAD - 2) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)!.push(id);
    size += bytes;
  }
  return chunks.map(chunk => JSON.stringify(chunk));
}

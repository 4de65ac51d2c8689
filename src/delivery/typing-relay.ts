import type { EndUserTyping, TypingOutbox } from '../core/ports/typing';

/** Durations in milliseconds. */
export const TYPING_TIMES = {
  /** After this time without a new state, a typing end-user counts as stopped. */
  expiresMs: 10_000,
  /** How often a continued typing is sent again. */
  repeatMs: 5_000,
  /** How many calls may run at one remote; more would only queue there. */
  atOnce: 2,
  /** How often per minute "typing" is sent to one remote, so that it never uses capacity that messages need. */
  perMinute: 120,
  /** The maximum number of sessions with a typing end-user; typing in further sessions is not sent. */
  sessions: 1_000,
} as const;

const MINUTE_MS = 60_000;

interface RemoteState {
  running: number;
  readonly sentAt: number[];
  readonly waiting: Set<TypingState>;
}
interface TypingState {
  typing: EndUserTyping;
  requested: boolean;
  sent: boolean;
  sentAt: number;
  isRunning: boolean;
  cancelWait: () => void;
}

export interface RelayClock {
  now(): number;
  /** Runs `act` once after `ms`. Returns a function that cancels it. */
  after(ms: number, act: () => void): () => void;
}

const REAL_TIME: RelayClock = {
  now: () => performance.now(),
  after: (ms, act) => {
    const timer = setTimeout(act, ms).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Sends the typing states of end-users to providers. It keeps at most one running call per session and the newest state
 * for the next one, and drops what exceeds the limits. Failures are ignored, because the next state comes soon.
 */
export class TypingRelay implements TypingOutbox {
  private readonly entries = new Map<string, TypingState>();
  private readonly remotes = new Map<string, RemoteState>();

  /** @param callMs the time limit of one call */
  constructor(
    private readonly callMs: number,
    private readonly time: RelayClock = REAL_TIME,
  ) {}

  send(typing: EndUserTyping): void {
    let entry = this.entries.get(typing.sessionId);
    if (entry === undefined) {
      if (!typing.isTyping || this.entries.size >= TYPING_TIMES.sessions) return;
      entry = {
        typing,
        requested: true,
        sent: false,
        sentAt: -Infinity,
        isRunning: false,
        cancelWait: () => undefined,
      };
      this.entries.set(typing.sessionId, entry);
    }
    entry.typing = typing;
    this.request(entry, typing.isTyping);
  }

  /** Drops all states. */
  stop(): void {
    for (const entry of this.entries.values()) entry.cancelWait();
    this.entries.clear();
    this.remotes.clear();
  }

  private request(entry: TypingState, isTyping: boolean): void {
    entry.requested = isTyping;
    entry.cancelWait();
    entry.cancelWait = isTyping
      ? this.time.after(TYPING_TIMES.expiresMs, () => this.request(entry, false))
      : () => undefined;
    this.pump(entry);
  }

  private pump(entry: TypingState): void {
    if (entry.isRunning || this.entries.get(entry.typing.sessionId) !== entry) return;
    const isNews =
      entry.requested !== entry.sent || (entry.requested && this.time.now() - entry.sentAt >= TYPING_TIMES.repeatMs);
    if (!isNews) {
      if (!entry.requested) this.entries.delete(entry.typing.sessionId);
      return;
    }
    const side = this.remoteOf(entry);
    if (side.running >= TYPING_TIMES.atOnce) side.waiting.add(entry);
    // A stop follows each start, so it needs no capacity of its own.
    else if (!entry.requested || this.hasCapacity(side)) void this.callProvider(entry, side);
  }

  private async callProvider(entry: TypingState, side: RemoteState): Promise<void> {
    const isTyping = entry.requested;
    entry.isRunning = true;
    side.running += 1;
    if (isTyping) side.sentAt.push(this.time.now());
    try {
      await entry.typing.send(isTyping, AbortSignal.timeout(this.callMs));
    } catch {
      // Typing is cosmetic, so a failure has no consequences.
    }
    entry.isRunning = false;
    entry.sent = isTyping;
    entry.sentAt = this.time.now();
    side.running -= 1;
    this.pump(entry);
    for (const next of side.waiting) {
      if (side.running >= TYPING_TIMES.atOnce) break;
      side.waiting.delete(next);
      this.pump(next);
    }
  }

  private hasCapacity({ sentAt }: RemoteState): boolean {
    const since = this.time.now() - MINUTE_MS;
    while (sentAt.length > 0 && sentAt[0]! <= since) sentAt.shift();
    return sentAt.length < TYPING_TIMES.perMinute;
  }

  private remoteOf({ typing: { accountId } }: TypingState): RemoteState {
    let side = this.remotes.get(accountId);
    if (side === undefined) this.remotes.set(accountId, (side = { running: 0, sentAt: [], waiting: new Set() }));
    return side;
  }
}

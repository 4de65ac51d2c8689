/*
 * The evidence of a run: the remote's state, the deliveries that runtimes received, and the log of invocations. Plain
 * data in the run's folder, so that a run can be judged again.
 */

export type Control = 'BOT' | 'HUMAN' | 'NONE';
export type RemoteStatus = 'pending' | 'open' | 'snoozed' | 'resolved';

/** Remote A: one conversation as its agents see it, lines by ascending id. */
export interface RemoteConversation {
  readonly id: number;
  /** The end-user's name in Chatwoot, which is the session's name here. */
  readonly session: string;
  readonly status: RemoteStatus;
  readonly agent: string | null;
  readonly lines: readonly RemoteMessage[];
}

export interface RemoteMessage {
  readonly id: number;
  readonly by: 'endUser' | 'bot' | 'agent' | 'system';
  readonly isPrivate: boolean;
  readonly text: string;
  /** Content of a file attached to it: a long history is forwarded as one. */
  readonly file: string | null;
}

/** Remote B: one delivery as a runtime received it, repeats included, in the order of arrival. */
export interface Received {
  readonly at: number;
  readonly via: 'query' | 'subscription' | 'push';
  readonly session: string;
  readonly deliveryId: string;
  /** Read together with it: the values of that moment, not of the notice. */
  readonly control: Control;
  readonly epoch: number;
  readonly notice:
    | {
        readonly kind: 'message';
        readonly author: 'AGENT' | 'SYSTEM' | 'BOT' | 'END_USER';
        readonly messageId: string;
        readonly seq: number;
        readonly text: string;
      }
    | { readonly kind: 'state'; readonly handoffId: string; readonly state: string }
    | { readonly kind: 'outcome'; readonly handoffId: string; readonly state: string; readonly reason: string | null }
    | { readonly kind: 'other'; readonly what: string };
}

export type RuntimeOperation = 'open' | 'user' | 'bot' | 'handoff' | 'cancel' | 'close';

/** The log of invocations, in the order of requests and responses. */
export type Invocation =
  /** The planned activity: the number of simultaneous sessions and their duration. */
  | { readonly kind: 'begun'; readonly at: number; readonly seconds: number; readonly sessions: number }
  | {
      readonly kind: 'opened';
      readonly at: number;
      readonly session: string;
      readonly mirroring: 'ALWAYS' | 'ON_HANDOFF';
      readonly whileWaiting: 'SILENT' | 'BOT_MAY_ANSWER';
      readonly lines: Lines;
      /** Whether its runtime has an endpoint. */
      readonly isPushed: boolean;
    }
  | {
      readonly kind: 'asked';
      readonly at: number;
      readonly session: string;
      readonly operation: RuntimeOperation;
      readonly key: string;
      /** The message of end-user or bot; the reason of a cancel or a handoff, which agents see in its context note. */
      readonly text: string | null;
      readonly epoch: number | null;
    }
  | {
      readonly kind: 'answered';
      readonly at: number;
      readonly session: string;
      readonly operation: RuntimeOperation;
      readonly key: string;
      /** A code of `userErrors`; null if it was acknowledged. */
      readonly refused: string | null;
      readonly control: Control | null;
      readonly epoch: number | null;
      /** Of a message: its number in the session; for a bot's message also whether the end-user may see it. */
      readonly seq: number | null;
      readonly delivered: boolean | null;
      readonly handoffId: string | null;
    }
  /** A call whose outcome is unknown: it was repeated and never got a response. */
  | {
      readonly kind: 'unanswered';
      readonly at: number;
      readonly session: string;
      readonly operation: RuntimeOperation;
      readonly key: string;
    }
  | {
      readonly kind: 'agent';
      readonly at: number;
      readonly session: string;
      readonly agent: string;
      readonly act: AgentAct;
      readonly observedStatus: RemoteStatus;
      readonly text: string | null;
      readonly ok: boolean;
    }
  /** The final state of a session, after all work has finished. */
  | {
      readonly kind: 'final';
      readonly at: number;
      readonly session: string;
      readonly control: Control;
      readonly epoch: number;
      readonly handoff: { readonly id: string; readonly state: string } | null;
      readonly pending: { readonly provider: number; readonly runtime: number; readonly parked: number };
    }
  /** The transitions of a session's handoffs, read from its events after all work has finished. */
  | {
      readonly kind: 'moves';
      readonly at: number;
      readonly session: string;
      readonly moves: readonly Move[];
      readonly lateMessages: readonly LateMessage[];
    }
  /** All parked and discarded deliveries, after all work has finished. */
  | { readonly kind: 'deadLetters'; readonly at: number; readonly deadLetters: readonly DeadLetter[] }
  /** A disruption of the world; for readers of the log only. */
  | { readonly kind: 'chaos'; readonly at: number; readonly what: string };

/** `from` is null where a handoff begins. Both are equal if only the agent changed. */
export interface Move {
  readonly handoffId: string;
  readonly from: string | null;
  readonly to: string;
}
/** An agent's message that the session's events have after the end of its handoff. */
export interface LateMessage {
  readonly messageId: string;
  readonly handoffId: string;
}
export interface DeadLetter {
  readonly session: string;
  readonly state: 'PARKED' | 'DISCARDED';
  readonly destination: string;
  readonly what: string;
  readonly code: string;
}

export type AgentAct =
  | 'reply'
  | 'note'
  | 'take'
  | 'give'
  | 'drop'
  | 'team'
  | 'snooze'
  | 'reopen'
  | 'resolve'
  | 'return';

export interface Evidence {
  readonly remote: readonly RemoteConversation[];
  readonly received: readonly Received[];
  readonly log: readonly Invocation[];
}

/** The policy's lines to the end-user; null: none is sent. */
export interface Lines {
  readonly queued: string | null;
  readonly ended: string | null;
  readonly rejected: string | null;
  readonly failed: string | null;
}
export const LINES = {
  queued: '[service queued]',
  ended: '[service ended]',
  rejected: '[service rejected]',
  failed: '[service failed]',
} as const satisfies Lines;

/*
 * All that a verdict is reached from: what the far side shows, what the runtimes received, and what was invoked. Plain
 * data, kept in a run's folder, so that a run can be judged again.
 */

export type Control = 'BOT' | 'HUMAN' | 'NONE';
export type FarStatus = 'pending' | 'open' | 'snoozed' | 'resolved';

/** Far side A: one conversation as its people see it, lines by ascending id. */
export interface FarConversation {
  readonly id: number;
  /** The end-user's name there, which is the session's name here. */
  readonly session: string;
  readonly status: FarStatus;
  readonly agent: string | null;
  readonly lines: readonly FarLine[];
}

export interface FarLine {
  readonly id: number;
  readonly by: 'endUser' | 'bot' | 'agent' | 'system';
  readonly isPrivate: boolean;
  readonly text: string;
  /** Of a file that came with it: the beginning of a long talk is brought along as one. */
  readonly file: string | null;
}

/** Far side B: one delivery as a runtime received it, repeats included, in the order in which they came. */
export interface Received {
  readonly at: number;
  readonly via: 'query' | 'subscription' | 'push';
  readonly session: string;
  readonly deliveryId: string;
  /** As read together with it: of that moment, not of the notice. */
  readonly control: Control;
  readonly epoch: number;
  readonly notice:
    | { readonly kind: 'message'; readonly author: 'AGENT' | 'SYSTEM' | 'BOT' | 'END_USER'; readonly messageId: string; readonly seq: number; readonly text: string }
    | { readonly kind: 'state'; readonly handoffId: string; readonly state: string }
    | { readonly kind: 'outcome'; readonly handoffId: string; readonly state: string; readonly reason: string | null }
    | { readonly kind: 'other'; readonly what: string };
}

export type RuntimeOperation = 'open' | 'user' | 'bot' | 'handoff' | 'cancel' | 'close';

/** The log of invocations, in the order in which things were asked and answered. */
export type Invocation =
  /** How much was meant to happen: talks at the same time, for so long. */
  | { readonly kind: 'begun'; readonly at: number; readonly seconds: number; readonly talks: number }
  | {
    readonly kind: 'opened'; readonly at: number; readonly session: string; readonly mirroring: 'ALWAYS' | 'ON_HANDOFF'; readonly whileWaiting: 'HOLD' | 'BOT_MAY_ANSWER';
    readonly lines: Lines;
    /** Its runtime has an endpoint. */
    readonly isPushed: boolean;
  }
  | {
    readonly kind: 'asked'; readonly at: number; readonly session: string; readonly operation: RuntimeOperation; readonly key: string;
    /** What is said, by end-user or bot; why, for a cancel and for a handoff, whose context note tells it to the agents. */
    readonly text: string | null; readonly epoch: number | null;
  }
  | {
    readonly kind: 'answered'; readonly at: number; readonly session: string; readonly operation: RuntimeOperation; readonly key: string;
    /** A code of `userErrors`, or null: then it is acknowledged. */
    readonly refused: string | null;
    readonly control: Control | null; readonly epoch: number | null;
    /** Of a message: its number in the session, and for the bot whether the end-user may see it. */
    readonly seq: number | null; readonly delivered: boolean | null;
    readonly handoffId: string | null;
  }
  /** Nobody knows what became of it: it was asked again and again, and never answered. */
  | { readonly kind: 'unanswered'; readonly at: number; readonly session: string; readonly operation: RuntimeOperation; readonly key: string }
  | { readonly kind: 'agent'; readonly at: number; readonly session: string; readonly agent: string; readonly act: AgentAct; readonly saw: FarStatus; readonly text: string | null; readonly ok: boolean }
  /** The last look at a session, after everything has come to rest. */
  | {
    readonly kind: 'final'; readonly at: number; readonly session: string; readonly control: Control; readonly epoch: number;
    readonly handoff: { readonly id: string; readonly state: string } | null;
    readonly owed: { readonly provider: number; readonly runtime: number; readonly parked: number };
  }
  /** How a session's handoffs went, as its events tell an operator after everything has come to rest. */
  | { readonly kind: 'moves'; readonly at: number; readonly session: string; readonly moves: readonly Move[]; readonly lateWords: readonly LateWord[] }
  /** All that the operator finds set aside, or given up, after everything has come to rest. */
  | { readonly kind: 'deadLetters'; readonly at: number; readonly letters: readonly DeadLetter[] }
  /** What was done to the world; read by people only. */
  | { readonly kind: 'chaos'; readonly at: number; readonly what: string };

/** `from` is null where a handoff begins; both are the same when only the agent is another. */
export interface Move { readonly handoffId: string; readonly from: string | null; readonly to: string }
/** An agent's message that the session's events have behind the end of its handoff. */
export interface LateWord { readonly messageId: string; readonly handoffId: string }
export interface DeadLetter { readonly session: string; readonly state: 'PARKED' | 'DISCARDED'; readonly destination: string; readonly what: string; readonly code: string }

export type AgentAct = 'reply' | 'note' | 'take' | 'give' | 'drop' | 'team' | 'snooze' | 'reopen' | 'resolve' | 'return';

export interface Evidence {
  readonly farSide: readonly FarConversation[];
  readonly received: readonly Received[];
  readonly log: readonly Invocation[];
}

/** Our own lines to the end-user, as a chatbot's policy sets them; nothing is said where there is none. */
export interface Lines { readonly queued: string | null; readonly ended: string | null; readonly rejected: string | null; readonly failed: string | null }
export const LINES = { queued: '[service queued]', ended: '[service ended]', rejected: '[service rejected]', failed: '[service failed]' } as const satisfies Lines;

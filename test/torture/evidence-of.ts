import {
  LINES,
  type AgentAct,
  type Control,
  type Evidence,
  type RemoteConversation,
  type RemoteMessage,
  type RemoteStatus,
  type Invocation,
  type LateMessage,
  type Lines,
  type Move,
  type Received,
  type RuntimeOperation,
} from '../../scripts/torture/evidence';

/** Evidence in which a test may plant a fault. */
export interface Draft {
  remote: RemoteConversation[];
  received: Received[];
  log: Invocation[];
}

const SESSION = 's1';
const at = 0;
const WAYS = ['query', 'subscription', 'push'] as const;

/** Records one session's story as a run would: each step goes to the remotes and to the log. */
export class Story {
  readonly draft: Draft = { remote: [], received: [], log: [] };
  private readonly shown: RemoteMessage[] = [];
  private lastId = 0;
  private lastSeq = 0;
  private deliveries = 0;
  private asked = 0;
  private readonly moves: Move[] = [];
  private readonly lateMessages: LateMessage[] = [];
  private readonly reasons = new Map<string, string>();

  constructor(
    private readonly policy: {
      readonly mirroring?: 'ALWAYS' | 'ON_HANDOFF';
      readonly whileWaiting?: 'SILENT' | 'BOT_MAY_ANSWER';
      readonly lines?: Lines;
    } = {},
  ) {
    this.draft.log.push(
      { kind: 'begun', at, seconds: 0, sessions: 1 },
      {
        kind: 'opened',
        at,
        session: SESSION,
        mirroring: policy.mirroring ?? 'ALWAYS',
        whileWaiting: policy.whileWaiting ?? 'SILENT',
        lines: policy.lines ?? LINES,
        isPushed: true,
      },
    );
  }

  user(text: string, control: Control, epoch: number, isForwarded = true): this {
    return this.turn('user', text, control, epoch, epoch, null, isForwarded);
  }
  bot(text: string, epoch: number, control: Control = 'BOT'): this {
    return this.turn('bot', text, control, epoch, epoch, true, true);
  }
  refused(text: string, control: Control, epoch: number, believed: number): this {
    this.ask('bot', text, believed);
    return this.answer('bot', text, { refused: 'CONTROL_LOST', control, epoch });
  }
  suggested(text: string, control: Control, epoch: number, believed: number): this {
    this.ask('bot', text, believed);
    this.show({ by: 'bot', isPrivate: true, text });
    return this.answer('bot', text, { control, epoch, seq: ++this.lastSeq, delivered: false });
  }
  /** A request; one that names an existing handoff joins it. */
  asks(handoffId: string, control: Control, epoch: number): this {
    const key = `h${++this.asked}`;
    const reason = `[reason ${key}]`;
    if (!this.moves.some(move => move.handoffId === handoffId)) {
      this.reasons.set(handoffId, reason);
      this.moves.push({ handoffId, from: null, to: 'REQUESTED' });
    }
    this.ask('handoff', reason, null, key);
    return this.answer('handoff', key, { control, epoch, handoffId });
  }
  /** It reaches the agents, with its note, and the end-user is promised a colleague. */
  queued(handoffId: string, epoch: number): this {
    return this.note(handoffId).state(handoffId, 'QUEUED', 'NONE', epoch).line(this.lines.queued, 'NONE', epoch);
  }
  note(handoffId: string): this {
    this.show({ by: 'bot', isPrivate: true, text: `Handed over by the bot.\nReason: ${this.reasons.get(handoffId)}` });
    return this;
  }
  /** An action that the runtime may be refused. */
  fails(operation: 'user' | 'cancel', text: string, refused: string): this {
    this.ask(operation, text, null);
    return this.answer(operation, text, { refused });
  }
  closes(): this {
    this.ask('close', null, null, 'close');
    return this.answer('close', 'close', { control: 'BOT', epoch: 1 });
  }

  agent(act: AgentAct, saw: RemoteStatus = 'open', text: string | null = null): this {
    this.draft.log.push({
      kind: 'agent',
      at,
      session: SESSION,
      agent: 'Ann',
      act,
      observedStatus: saw,
      text,
      ok: true,
    });
    if (text !== null) this.show({ by: 'agent', isPrivate: act === 'note', text });
    return this;
  }

  word(text: string, control: Control, epoch: number): this {
    return this.deliver(
      { kind: 'message', author: 'AGENT', messageId: text, seq: ++this.lastSeq, text },
      control,
      epoch,
    );
  }
  /** A message that no sync had found when its handoff ended. */
  lateWord(handoffId: string, text: string, control: Control, epoch: number): this {
    this.lateMessages.push({ messageId: text, handoffId });
    return this.word(text, control, epoch);
  }
  /** The runtime ends it. */
  cancels(handoffId: string, control: Control, epoch: number): this {
    const key = `c${++this.asked}`;
    this.ask('cancel', 'BOT_CANCELLED', null, key);
    return this.answer('cancel', key, { control, epoch, handoffId });
  }
  /** Nothing if the policy says nothing. */
  line(text: string | null, control: Control, epoch: number): this {
    return text === null || text === ''
      ? this
      : this.deliver(
          { kind: 'message', author: 'SYSTEM', messageId: `m${this.deliveries}`, seq: ++this.lastSeq, text },
          control,
          epoch,
        );
  }
  state(handoffId: string, state: string, control: Control, epoch: number): this {
    this.move(handoffId, state);
    return this.deliver({ kind: 'state', handoffId, state }, control, epoch);
  }
  /** With the closing line before it. */
  outcome(
    handoffId: string,
    reason: string,
    control: Control,
    epoch: number,
    closing: string | null = this.lines.ended,
  ): this {
    this.move(handoffId, 'ENDING').move(handoffId, 'ENDED');
    return this.line(closing, control, epoch).deliver(
      { kind: 'outcome', handoffId, state: 'ENDED', reason },
      control,
      epoch,
    );
  }

  end(
    status: RemoteStatus,
    control: Control,
    epoch: number,
    handoff: { id: string; state: string } | null = null,
  ): Draft {
    this.draft.remote.push({ id: 1, session: SESSION, status, agent: null, lines: this.shown });
    this.draft.log.push(
      { kind: 'moves', at, session: SESSION, moves: this.moves, lateMessages: this.lateMessages },
      { kind: 'deadLetters', at, deadLetters: [] },
    );
    this.draft.log.push({
      kind: 'final',
      at,
      session: SESSION,
      control,
      epoch,
      handoff,
      pending: { provider: 0, runtime: 0, parked: 0 },
    });
    return this.draft;
  }

  private get lines(): Lines {
    return this.policy.lines ?? LINES;
  }
  private move(handoffId: string, to: string): this {
    const from = this.moves.filter(move => move.handoffId === handoffId).at(-1)?.to ?? null;
    this.moves.push({ handoffId, from, to });
    return this;
  }

  private turn(
    by: 'user' | 'bot',
    text: string,
    control: Control,
    epoch: number,
    believed: number,
    delivered: boolean | null,
    isForwarded: boolean,
  ): this {
    this.ask(by, text, by === 'bot' ? believed : null);
    if (isForwarded) this.show({ by: by === 'user' ? 'endUser' : 'bot', isPrivate: false, text });
    return this.answer(by, text, { control, epoch, seq: ++this.lastSeq, delivered });
  }

  private ask(operation: RuntimeOperation, text: string | null, epoch: number | null, key = text!): void {
    this.draft.log.push({ kind: 'asked', at, session: SESSION, operation, key, text, epoch });
  }
  private answer(
    operation: RuntimeOperation,
    key: string,
    given: Partial<Extract<Invocation, { kind: 'answered' }>>,
  ): this {
    this.draft.log.push({
      kind: 'answered',
      at,
      session: SESSION,
      operation,
      key,
      refused: null,
      control: null,
      epoch: null,
      seq: null,
      delivered: null,
      handoffId: null,
      ...given,
    });
    return this;
  }
  private show(line: Omit<RemoteMessage, 'id' | 'file'>): void {
    this.shown.push({ id: ++this.lastId, file: null, ...line });
  }
  private deliver(notice: Received['notice'], control: Control, epoch: number): this {
    this.draft.received.push({
      at,
      via: WAYS[this.deliveries % WAYS.length]!,
      session: SESSION,
      deliveryId: `d${++this.deliveries}`,
      control,
      epoch,
      notice,
    });
    return this;
  }
}

/** Bot, agent, bot again; with a late bot message, a suggestion, a note, and a repeated delivery. */
export function soundHistory(): Draft {
  const story = new Story()
    .user('[u1]', 'BOT', 1)
    .bot('[b1]', 1)
    .user('[u2]', 'BOT', 1)
    .asks('h-1', 'NONE', 2)
    .refused('[b2]', 'NONE', 2, 1)
    .queued('h-1', 2)
    .agent('take')
    .agent('reply', 'open', '[a1]')
    .state('h-1', 'ACTIVE', 'HUMAN', 3)
    .word('[a1]', 'HUMAN', 3)
    .agent('note', 'open', '[n1]')
    .user('[u3]', 'HUMAN', 3)
    .suggested('[b3]', 'HUMAN', 3, 1)
    .agent('reply', 'open', '[a2]')
    .agent('resolve')
    .word('[a2]', 'HUMAN', 3)
    .outcome('h-1', 'AGENT_RESOLVED', 'BOT', 4)
    .user('[u4]', 'BOT', 4)
    .bot('[b4]', 4);
  const draft = story.end('pending', 'BOT', 4);
  draft.received.splice(4, 0, draft.received[3]!);
  return draft;
}

/** A copy in which to plant faults. */
export const copyOf = (draft: Draft): Draft => structuredClone(draft);
export const asEvidence = (draft: Draft): Evidence => draft;

/** A mutable view of one conversation's lines. */
export const linesOf = (draft: Draft): RemoteMessage[] => draft.remote[0]!.lines as RemoteMessage[];

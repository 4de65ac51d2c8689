import { LINES, type AgentAct, type Control, type Evidence, type FarConversation, type FarLine, type FarStatus, type Invocation, type Lines, type Move, type Received } from '../../scripts/torture/evidence';

/** Evidence that a test may plant a fault in. */
export interface Draft { farSide: FarConversation[]; received: Received[]; log: Invocation[] }

const SESSION = 's1';
const at = 0;

/** Writes one session's story down as a run would: each step goes to the far sides and to the log. */
export class Story {
  readonly draft: Draft = { farSide: [], received: [], log: [] };
  private readonly lines: FarLine[] = [];
  private lastId = 0;
  private lastSeq = 0;
  private deliveries = 0;
  private asked = 0;

  constructor(private readonly policy: { readonly mirroring?: 'ALWAYS' | 'ON_HANDOFF'; readonly whileWaiting?: 'HOLD' | 'BOT_MAY_ANSWER'; readonly lines?: Lines } = {}) {
    this.draft.log.push({ kind: 'opened', at, session: SESSION, mirroring: policy.mirroring ?? 'ALWAYS', whileWaiting: policy.whileWaiting ?? 'HOLD', lines: policy.lines ?? LINES, isPushed: true });
  }

  user(text: string, control: Control, epoch: number, isShown = true): this { return this.turn('user', text, control, epoch, epoch, null, isShown); }
  bot(text: string, epoch: number, control: Control = 'BOT'): this { return this.turn('bot', text, control, epoch, epoch, true, true); }
  refused(text: string, control: Control, epoch: number, believed: number): this {
    this.ask('bot', text, believed);
    return this.answer('bot', text, { refused: 'CONTROL_LOST', control, epoch });
  }
  suggested(text: string, control: Control, epoch: number, believed: number): this {
    this.ask('bot', text, believed);
    this.show({ by: 'bot', isPrivate: true, text });
    return this.answer('bot', text, { control, epoch, seq: ++this.lastSeq, delivered: false });
  }
  asks(handoffId: string, control: Control, epoch: number): this {
    const key = `h${++this.asked}`;
    this.ask('handoff', null, null, key);
    return this.answer('handoff', key, { control, epoch, handoffId });
  }

  agent(act: AgentAct, saw: FarStatus = 'open', text: string | null = null): this {
    this.draft.log.push({ kind: 'agent', at, session: SESSION, agent: 'Ann', act, saw, text, ok: true });
    if (text !== null) this.show({ by: 'agent', isPrivate: act === 'note', text });
    return this;
  }

  word(text: string, control: Control, epoch: number): this {
    return this.deliver({ kind: 'message', author: 'AGENT', messageId: text, seq: ++this.lastSeq, text }, control, epoch);
  }
  line(text: string, control: Control, epoch: number): this {
    return this.deliver({ kind: 'message', author: 'SYSTEM', messageId: `m${this.deliveries}`, seq: ++this.lastSeq, text }, control, epoch);
  }
  state(handoffId: string, state: string, control: Control, epoch: number): this { return this.deliver({ kind: 'state', handoffId, state }, control, epoch); }
  outcome(handoffId: string, reason: string, control: Control, epoch: number): this { return this.deliver({ kind: 'outcome', handoffId, state: 'ENDED', reason }, control, epoch); }

  end(status: FarStatus, control: Control, epoch: number, handoff: { id: string; state: string } | null = null): Draft {
    this.draft.farSide.push({ id: 1, session: SESSION, status, agent: null, lines: this.lines });
    this.draft.log.push({ kind: 'final', at, session: SESSION, control, epoch, handoff, owed: { provider: 0, runtime: 0, parked: 0 } });
    return this.draft;
  }

  private turn(by: 'user' | 'bot', text: string, control: Control, epoch: number, believed: number, delivered: boolean | null, isShown: boolean): this {
    this.ask(by, text, by === 'bot' ? believed : null);
    if (isShown) this.show({ by: by === 'user' ? 'endUser' : 'bot', isPrivate: false, text });
    return this.answer(by, text, { control, epoch, seq: ++this.lastSeq, delivered });
  }

  private ask(operation: 'user' | 'bot' | 'handoff', text: string | null, epoch: number | null, key = text!): void {
    this.draft.log.push({ kind: 'asked', at, session: SESSION, operation, key, text, epoch });
  }
  private answer(operation: 'user' | 'bot' | 'handoff', key: string, given: Partial<Extract<Invocation, { kind: 'answered' }>>): this {
    this.draft.log.push({ kind: 'answered', at, session: SESSION, operation, key, refused: null, control: null, epoch: null, seq: null, delivered: null, handoffId: null, ...given });
    return this;
  }
  private show(line: Omit<FarLine, 'id' | 'file'>): void { this.lines.push({ id: ++this.lastId, file: null, ...line }); }
  private deliver(notice: Received['notice'], control: Control, epoch: number): this {
    this.draft.received.push({ at, via: 'query', session: SESSION, deliveryId: `d${++this.deliveries}`, control, epoch, notice });
    return this;
  }
}

/** Bot, person, bot again; with a bot that was too late, a suggestion, a note, and a delivery that came twice. */
export function soundHistory(): Draft {
  const story = new Story()
    .user('[u1]', 'BOT', 1).bot('[b1]', 1)
    .user('[u2]', 'BOT', 1).asks('h-1', 'NONE', 2)
    .refused('[b2]', 'NONE', 2, 1)
    .state('h-1', 'QUEUED', 'NONE', 2).line(LINES.queued, 'NONE', 2)
    .agent('take').agent('reply', 'open', '[a1]').state('h-1', 'ACTIVE', 'HUMAN', 3).word('[a1]', 'HUMAN', 3)
    .agent('note', 'open', '[n1]')
    .user('[u3]', 'HUMAN', 3).suggested('[b3]', 'HUMAN', 3, 1)
    .agent('reply', 'open', '[a2]').agent('resolve').word('[a2]', 'HUMAN', 3)
    .outcome('h-1', 'AGENT_RESOLVED', 'BOT', 4)
    .user('[u4]', 'BOT', 4).bot('[b4]', 4);
  const draft = story.end('pending', 'BOT', 4);
  draft.received.splice(4, 0, draft.received[3]!);
  return draft;
}

/** A copy to plant faults in. */
export const copyOf = (draft: Draft): Draft => structuredClone(draft);
export const asEvidence = (draft: Draft): Evidence => draft;

/** A mutable view of one conversation's lines. */
export const linesOf = (draft: Draft): FarLine[] => draft.farSide[0]!.lines as FarLine[];

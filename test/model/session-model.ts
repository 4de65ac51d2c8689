import type { Act, Deed, Entry } from './far-side';

export type Control = 'BOT' | 'HUMAN' | 'NONE';
export type Mirroring = 'ALWAYS' | 'ON_HANDOFF';
export type WhileWaiting = 'SILENT' | 'BOT_MAY_ANSWER';
export type LostConversation = 'END' | 'REOPEN';

/** One entry of the session's log, as a reader sees it. */
export type Fact =
  | {
      readonly type: 'said';
      readonly author: string;
      readonly visibility: string;
      readonly text: string;
      readonly messageId: string;
      readonly seq: number;
      readonly handoffId: string | null;
    }
  | {
      readonly type: 'handoff';
      readonly id: string;
      readonly from: string | null;
      readonly to: string;
      readonly cause: string;
      readonly endReason: string | null;
      readonly agent: string | null;
    }
  | { readonly type: 'control'; readonly control: string; readonly epoch: number }
  | { readonly type: 'closed' }
  | { readonly type: 'parked'; readonly kind: string };

/** What the runtime is doing now. Only that permits entries of its making. */
export type Doing =
  | { readonly says: 'END_USER' | 'BOT'; readonly text: string }
  | { readonly asks: true }
  | { readonly ends: string }
  | { readonly closes: true }
  | null;

/** The observable state of the remote. */
export interface Evidence {
  readonly tick: number;
  readonly acts: readonly Act[];
  readonly agentMessages: readonly (Entry & { readonly isLost: boolean })[];
  /** Returns when a message appeared there after `since`: as a post with our id, or in a file of earlier ones. */
  shownAt(ourId: string, text: string, since?: number): number | undefined;
  /** Returns the number of notes that tell agents that a part of this message was not shown. */
  notesOf(word: Entry): number;
  /** Handoffs whose conversation was opened to agents, or is about to be, because a call may be running. */
  readonly called: readonly string[];
  /** True: the conversation that the session was last linked to was deleted. */
  readonly isLinkDead: boolean;
}

interface Said {
  readonly id: string;
  readonly text: string;
  readonly author: string;
  isDue: boolean;
}
interface Live {
  readonly id: string;
  state: string;
  /** Ticks: what was before these does not concern this handoff. */
  begun: number;
  history: number;
  /** Since when its history must be posted again because its conversation was deleted, and how often that happened. */
  lostAt: number;
  timesLost: number;
  readonly isTakeover: boolean;
  /** True: agents had it before it was opened to them. */
  isQuick: boolean;
  /** True: the takeover was a message in a conversation that was already resolved. */
  readonly intoDone: boolean;
  /** The agent who has it, according to the log. */
  agent: string | null;
  drainBy: number | null;
  /** While it is ENDING and awaits a sync of its conversation: until when. */
  syncBy: number | null;
  wasPromised: boolean;
}

/** Returns when we last returned it to the bot. */
const lastHeld = ({ acts }: Evidence): number => acts.filter(({ deed }) => deed === 'held').at(-1)?.tick ?? 0;

const FINAL = ['ENDED', 'REJECTED', 'FAILED'];
const DRAIN_MS = 30_000;
const SYNC_MS = 5_000;
const MOST_OPENED_AGAIN = 3;

/**
 * The requirements on one session, as seen from outside. It reads the log and checks whether each entry is permitted,
 * given the actions of runtime and agents. It knows nothing of deliveries, syncs, locks or steps.
 */
export class SessionModel {
  control: Control = 'BOT';
  epoch = 1;
  isClosed = false;
  live: Live | null = null;
  doing: Doing = null;
  /** All messages, in order; `isDue`: agents must see it in the end. */
  readonly said: Said[] = [];
  /** What the runtime must collect, in this order: agents' messages and outcomes. */
  readonly expectedNotices: string[] = [];
  readonly wrong: string[] = [];
  private heard = -1;
  private readonly unacknowledged = new Map<string, string>();
  /** When the last handoff ended, by agents' actions or by ours. An agent who was assigned before that is residue. */
  private over = 0;
  /** Except an agent who had just been assigned when the runtime ended it, and had not been seen yet. */
  private missed: { readonly since: number; readonly not: string | null } = { since: Infinity, not: null };
  private closingLineOf: string | null = null;
  /**
   * The last handoff that the runtime or an operator ended while agents had it, and when. Agents' earlier messages
   * belong to it.
   */
  private ended: { readonly id: string; readonly tick: number } | null = null;

  constructor(
    readonly mirroring: Mirroring,
    public whileWaiting: WhileWaiting,
    readonly lostConversation: LostConversation,
    private readonly now: () => number,
  ) {}

  get isOpen(): boolean {
    return this.live !== null && this.live.state !== 'ENDING';
  }
  get mayReply(): boolean {
    return (
      !this.isClosed && (this.control === 'BOT' || (this.control === 'NONE' && this.whileWaiting === 'BOT_MAY_ANSWER'))
    );
  }

  acknowledged(messageIds: readonly string[]): void {
    for (const id of messageIds) this.unacknowledged.delete(id);
  }

  need(holds: boolean, what: string): void {
    if (!holds) this.wrong.push(what);
  }

  /** Processes the new log entries. */
  accept(facts: readonly Fact[], far: Evidence): void {
    for (const fact of facts)
      switch (fact.type) {
        case 'said':
          this.acceptMessage(fact, far);
          break;
        case 'handoff':
          this.acceptHandoff(fact, far);
          break;
        case 'control':
          this.need(fact.epoch === this.epoch + 1, `the epoch goes from ${this.epoch} to ${fact.epoch}`);
          this.need(fact.control !== this.control, `control changes from ${this.control} to itself`);
          [this.control, this.epoch] = [fact.control as Control, fact.epoch];
          break;
        case 'closed':
          this.need(this.doing !== null && 'closes' in this.doing, 'it closed by itself');
          this.isClosed = true;
          break;
        case 'parked':
          this.need(
            fact.kind === 'POST_MESSAGE' && this.said.some(({ text }) => text.startsWith('poison')),
            `${fact.kind} was set aside`,
          );
      }
    const rightful =
      this.live === null
        ? ['BOT']
        : ['REQUESTED', 'QUEUED'].includes(this.live.state)
          ? ['NONE']
          : this.live.state === 'ENDING' && !this.isDue(this.live.id)
            ? ['NONE', 'HUMAN']
            : ['HUMAN'];
    this.need(
      rightful.includes(this.control),
      `control is ${this.control} while the handoff is ${this.live?.state ?? 'none'}`,
    );
  }

  private isDue(handoffId: string): boolean {
    return [...this.unacknowledged.values()].includes(handoffId);
  }

  private acceptMessage(
    { author, visibility, text, messageId, seq, handoffId }: Extract<Fact, { type: 'said' }>,
    far: Evidence,
  ): void {
    this.need(seq === this.said.length + 1, `message ${this.said.length + 1} has the number ${seq}`);
    const byRuntime = author === 'END_USER' || author === 'BOT';
    this.said.push({
      id: messageId,
      text,
      author,
      isDue: byRuntime && !text.startsWith('poison') && (this.mirroring === 'ALWAYS' || this.isOpen),
    });
    if (byRuntime) {
      this.need(
        this.doing !== null && 'says' in this.doing && this.doing.says === author && this.doing.text === text,
        `${author} was recorded though nobody said it`,
      );
      if (author === 'BOT' && visibility === 'PUBLIC')
        this.need(this.mayReply, `two voices: the bot spoke while control was ${this.control}`);
    } else if (author === 'AGENT') {
      const at = far.agentMessages.findIndex((word, i) => i > this.heard && word.text === text);
      this.need(at >= 0, `"${text}" was told twice, or is no agent's public word`);
      this.need(
        far.agentMessages.slice(this.heard + 1, Math.max(at, 0)).every(({ isLost }) => isLost),
        `"${text}" came before an earlier word`,
      );
      this.heard = Math.max(at, this.heard);
      this.need(
        handoffId === (this.live?.id ?? null) || handoffId === this.ended?.id,
        `"${text}" belongs to another handoff`,
      );
      this.expectedNotices.push(messageId);
      if (handoffId !== null) this.unacknowledged.set(messageId, handoffId);
    } else if (this.live !== null) {
      this.need(
        this.live.state === 'QUEUED' && !this.live.wasPromised,
        'a colleague was promised twice, or nobody was free to come',
      );
      this.live.wasPromised = true;
    } else {
      this.need(handoffId !== null && handoffId === this.closingLineOf, 'a closing line without an end');
      this.closingLineOf = null;
    }
  }

  private acceptHandoff(fact: Extract<Fact, { type: 'handoff' }>, far: Evidence): void {
    const { id, from, to } = fact;
    if (from === null) {
      this.need(this.live === null, 'a second live handoff');
      this.live = this.begun(fact, far);
      return;
    }
    if (this.live?.id !== id) {
      this.wrong.push(`a handoff that is not live went from ${from} to ${to}`);
      return;
    }
    this.need(this.live.state === from, `the handoff was ${this.live.state}, not ${from}`);
    this.justify(fact, this.live, far);
    this.live.state = to;
    this.live.agent = fact.agent;
    if (to === 'ENDING') this.live.drainBy = this.now() + DRAIN_MS;
    if (!FINAL.includes(to)) return;
    this.expectedNotices.push(id);
    this.closingLineOf = id;
    this.live = null;
  }

  private begun({ id, to, cause, agent }: Extract<Fact, { type: 'handoff' }>, far: Evidence): Live {
    const handoff = {
      id,
      state: to,
      history: this.said.length,
      agent,
      drainBy: null,
      syncBy: null,
      lostAt: 0,
      timesLost: 0,
      wasPromised: false,
    };
    if (cause === 'REQUESTED') {
      this.need(this.doing !== null && 'asks' in this.doing, 'a handoff that nobody asked for');
      return { ...handoff, begun: far.tick, isTakeover: false, isQuick: false, intoDone: false };
    }
    this.need(!this.isClosed, 'a closed session was taken over');
    const word = to === 'ACTIVE' ? this.nextWord(far) : undefined;
    const cleared = lastHeld(far);
    // It was opened for the queue, without an agent.
    const deeds: Deed[] = to === 'QUEUED' ? ['reopen', 'wake'] : ['assign', 'reopen'];
    const taken =
      to === 'ACTIVE'
        ? undefined
        : far.acts
            .filter(
              act =>
                deeds.includes(act.deed) &&
                (to === 'QUEUED' || act.agent === agent) &&
                (act.tick > this.over ||
                  (act.tick > Math.max(this.missed.since, cleared) && (agent === null || agent !== this.missed.not))),
            )
            .at(-1);
    this.need(
      word === undefined || this.ended === null || word.tick > this.ended.tick,
      `"${word?.text}" was said before the end, and took over`,
    );
    this.need(word !== undefined || taken !== undefined, `${agent} took over (${to}) without having done anything`);
    return {
      ...handoff,
      begun: (word ?? taken)?.tick ?? far.tick,
      isTakeover: true,
      isQuick: true,
      intoDone: word?.status === 'RESOLVED',
    };
  }

  private nextWord(far: Evidence): Entry | undefined {
    const unheard = far.agentMessages.slice(this.heard + 1);
    return unheard.find(({ isLost }) => !isLost) ?? unheard[0];
  }

  private justify(
    { to, cause, endReason, agent }: Extract<Fact, { type: 'handoff' }>,
    live: Live,
    far: Evidence,
  ): void {
    const opened = far.acts.filter(({ deed, tick }) => deed === 'opened' && tick > live.begun).at(-1);
    const since = (...deeds: Deed[]) => far.acts.some(({ deed, tick }) => deeds.includes(deed) && tick > live.begun);
    if (cause === 'AGENT_REPLIED' || cause === 'ASSIGNED') live.isQuick ||= opened === undefined;
    switch (cause) {
      case 'PROVIDER_ACCEPTED':
        this.need(opened !== undefined, 'accepted, though nobody opened it there');
        for (const message of this.said.slice(0, live.history)) {
          if (!['END_USER', 'BOT'].includes(message.author) || message.text.startsWith('poison')) continue;
          message.isDue = true;
          this.need(
            (far.shownAt(message.id, message.text, live.lostAt) ?? Infinity) < (opened?.tick ?? 0),
            `people were called before they could read "${message.text}"`,
          );
        }
        return;
      case 'AGENT_REPLIED':
        return this.need(
          this.nextWord(far) !== undefined || this.hasSpokenSinceReturn(far),
          'an answer that nobody gave',
        );
      case 'ASSIGNED': {
        const cleared = lastHeld(far);
        return this.need(
          far.acts.some(act => ['assign', 'opened'].includes(act.deed) && act.agent === agent && act.tick > cleared),
          `${agent} was not assigned`,
        );
      }
      case 'UNASSIGNED':
      case 'TEAM_CHANGED':
        return this.need(since('unassign', 'team', 'wake'), 'nobody let it go');
      case 'SNOOZED':
        return this.need(since('snooze'), 'nobody put it on hold');
      case 'UNSNOOZED':
        return this.need(since('wake', 'opened', 'reopen'), 'nobody woke it');
      case 'CONVERSATION_LOST':
        return this.opensAgain(live, far);
      case 'DRAINED':
        return this.justifyDrained(live, far);
      case 'END':
        return this.justifyEnd(endReason, live, far);
      default:
        this.wrong.push(`${cause} to ${to} though nobody refused anything`);
    }
  }

  /**
   * An agent's message that was received already, and was sent after the last handoff had ended. It may turn out to be
   * from after the return.
   */
  private hasSpokenSinceReturn(far: Evidence): boolean {
    return (
      this.ended !== null &&
      far.agentMessages[this.heard] !== undefined &&
      far.agentMessages[this.heard]!.tick > this.ended.tick
    );
  }

  private justifyDrained(live: Live, far: Evidence): void {
    // The next handoff replaces it: requested, or taken by an agent who wrote after the return.
    const isReplaced = this.doing !== null && 'asks' in this.doing;
    const spoke = far.agentMessages.some(
      ({ tick }, i) => i > this.heard && this.ended?.id === live.id && tick > this.ended.tick,
    );
    const isClosing = this.isClosed || (this.doing !== null && 'closes' in this.doing);
    this.need(
      !this.isDue(live.id) || this.now() >= live.drainBy! || isClosing || isReplaced || spoke,
      "it ended before the agent's words were collected",
    );
    if (live.syncBy === null || this.now() >= live.syncBy || far.isLinkDead) return;
    const missing = far.agentMessages.filter(
      (word, i) => i > this.heard && !word.isLost && word.tick < this.ended!.tick,
    );
    this.need(missing.length === 0, `ended before "${missing[0]?.text}" was told`);
  }

  /** The same handoff from its beginning, in a conversation that is still to be created. */
  private opensAgain(live: Live, far: Evidence): void {
    this.need(
      this.lostConversation === 'REOPEN' && live.timesLost < MOST_OPENED_AGAIN,
      'opened again against the policy',
    );
    const deleted = far.acts.filter(({ deed, tick }) => deed === 'delete' && tick > live.begun).at(-1);
    this.need(deleted !== undefined, 'opened again though its conversation is there');
    Object.assign(live, {
      begun: deleted?.tick ?? far.tick,
      lostAt: deleted?.tick ?? far.tick,
      timesLost: live.timesLost + 1,
      history: this.said.length,
      isQuick: false,
    });
  }

  private justifyEnd(reason: string | null, live: Live, far: Evidence): void {
    this.missed = { since: Math.min(this.missed.since, this.over), not: live.agent };
    this.over = far.tick;
    const isOurs = this.doing !== null && ('ends' in this.doing || 'closes' in this.doing);
    // Agents cannot see a handoff that nobody has begun to open, so their messages concern the bot's conversation.
    if (isOurs && (live.state !== 'REQUESTED' || far.called.includes(live.id))) {
      this.ended = { id: live.id, tick: far.tick };
      live.syncBy = this.now() + SYNC_MS;
    } else if (!isOurs || live.isQuick) this.ended = null;
    if (this.doing !== null && 'ends' in this.doing) return this.need(reason === this.doing.ends, `ended as ${reason}`);
    if (this.doing !== null && 'closes' in this.doing)
      return this.need(reason === 'SESSION_CLOSED', `ended as ${reason}`);
    if (reason === 'PROVIDER_LOST')
      return this.need(
        far.isLinkDead && (this.lostConversation === 'END' || live.timesLost === MOST_OPENED_AGAIN),
        'lost a conversation that is still there, or was to be made again',
      );
    // Actions from before agents were called do not concern this handoff.
    const from = live.isQuick
      ? live.begun
      : (far.acts.find(({ deed, tick }) => deed === 'opened' && tick > live.begun)?.tick ?? Infinity);
    // An agent who writes in a conversation that we are about to resolve has it only for that moment.
    const deeds: readonly Deed[] =
      reason === 'AGENT_RETURNED' ? ['giveBack'] : live.isTakeover ? ['resolve', 'closed'] : ['resolve'];
    const act = far.acts.find(({ deed, tick }) => deeds.includes(deed) && tick > from);
    this.need(
      act !== undefined || (reason === 'AGENT_RESOLVED' && live.intoDone),
      `ended as ${reason} though nobody did that`,
    );
    this.over = act?.tick ?? live.begun;
    this.missed = { since: Infinity, not: null };
    const missing = far.agentMessages.filter((word, i) => i > this.heard && !word.isLost && word.tick < this.over);
    this.need(missing.length === 0, `ended before "${missing[0]?.text}" was told`);
  }

  /** The requirements once everything is idle. */
  rest(
    far: Evidence,
    view: { readonly status: string; readonly agent: string | null; readonly statusBy: string } | null,
  ): void {
    for (const message of this.said)
      this.need(
        !message.isDue || far.shownAt(message.id, message.text) !== undefined,
        `agents never saw "${message.text}"`,
      );
    for (const word of far.agentMessages)
      this.need(
        word.isLost || far.notesOf(word) === (word.file === null ? 0 : 1),
        `agents were told ${far.notesOf(word)} times that a part of "${word.text}" was not shown`,
      );
    const unheard = far.agentMessages.filter((word, i) => i > this.heard && !word.isLost);
    this.need(unheard.length === 0, `nobody told the runtime "${unheard[0]?.text}"`);
    if (this.live === null) {
      this.need(
        view === null || view.statusBy === 'people' || ['BOT_HELD', 'RESOLVED'].includes(view.status),
        `no handoff, and the conversation is left ${view?.status}`,
      );
      return;
    }
    const { state } = this.live;
    this.need(view !== null, `${state} without a conversation`);
    if (view === null) return;
    const possible =
      view.status === 'ON_HOLD'
        ? ['ON_HOLD']
        : view.status !== 'OPEN'
          ? []
          : view.agent === null
            ? ['QUEUED', 'ACTIVE']
            : ['ASSIGNED', 'ACTIVE'];
    this.need(
      view.status !== 'OPEN' || view.agent === null || view.agent === this.live.agent,
      `it names ${this.live.agent}, and ${view.agent} has it`,
    );
    this.need(
      possible.includes(state),
      `stuck: ${state} over a conversation that is ${view.status}${view.agent === null ? '' : ` with ${view.agent}`}`,
    );
  }
}

import { randomUUID } from 'node:crypto';
import { ProviderRefusedError } from '../../src/core/errors';
import type { Observation, ListMessages, ObservationPage } from '../../src/core/ports/provider/observation';
import type { PostMessage, PostNote, PostTranscript } from '../../src/core/ports/provider/post-verbs';
import { ScriptedProvider } from '../../src/testing/scripted-provider';

export type Status = 'BOT_HELD' | 'OPEN' | 'ON_HOLD' | 'RESOLVED';
export type Deed =
  | 'assign'
  | 'unassign'
  | 'team'
  | 'resolve'
  | 'giveBack'
  | 'snooze'
  | 'wake'
  | 'reopen'
  | 'delete'
  | 'opened'
  | 'held'
  | 'closed';

/** An action at the remote, in one order with all messages. */
export interface Act {
  readonly deed: Deed;
  readonly tick: number;
  readonly agent: string | null;
}
export interface Entry {
  readonly id: number;
  readonly tick: number;
  /** `us`: a post of ours, with `ourId`. */
  readonly by: 'us' | 'agent' | 'note';
  readonly ourId: string | null;
  readonly text: string;
  readonly agent: string | null;
  /**
   * The name of our file with earlier messages; or the part of an agent's message that an end-user's channel cannot
   * show.
   */
  readonly file: string | null;
  /** The conversation's status when it was written. */
  readonly status: Status;
}
export interface SimulatedConversation {
  readonly id: string;
  readonly sessionId: string;
  deleted: boolean;
  readonly entries: Entry[];
  readonly view: { status: Status; agent: string | null; teamId: string | null };
  /** The side that set the status. */
  statusBy: 'us' | 'people';
}

const PAGE = 5;
/** So low that a session of a few messages needs a transcript. */
const HISTORY_ROOM = 2;
/** As a provider does whose ids become visible late. */
const READ_AGAIN = 2;

/**
 * A support system in memory, written only from the port's comments. It follows them literally: it finds an earlier
 * post only after `lookupAfter`, and only if told that there may be one.
 */
export class SimulatedProvider extends ScriptedProvider {
  readonly allConversations: SimulatedConversation[] = [];
  readonly acts = new Map<string, Act[]>();
  private lastId = 0;
  /** Increases with everything that happens here. */
  tick = 0;

  of(sessionId: string): SimulatedConversation | undefined {
    return this.allConversations.find(talk => talk.sessionId === sessionId && !talk.deleted);
  }
  allOf(sessionId: string): readonly SimulatedConversation[] {
    return this.allConversations.filter(talk => talk.sessionId === sessionId);
  }
  actsOf(sessionId: string): readonly Act[] {
    return this.acts.get(sessionId) ?? [];
  }
  /** Returns agents' public messages, in order. */
  wordsOf(sessionId: string): readonly (Entry & { readonly isLost: boolean })[] {
    return this.allOf(sessionId).flatMap(talk =>
      talk.entries.filter(({ by }) => by === 'agent').map(entry => ({ ...entry, isLost: talk.deleted })),
    );
  }

  // ---- agents
  did(talk: SimulatedConversation, deed: Deed, agent: string | null = null): void {
    this.acts.set(talk.sessionId, [...this.actsOf(talk.sessionId), { deed, tick: ++this.tick, agent }]);
  }
  setStatus(
    talk: SimulatedConversation,
    status: Status,
    deed: Deed,
    by: SimulatedConversation['statusBy'],
    agent: string | null = null,
  ): void {
    talk.view.status = status;
    talk.statusBy = by;
    // The assigned agent opens it again.
    this.did(talk, deed, agent ?? (deed === 'reopen' ? talk.view.agent : null));
  }
  write(
    talk: SimulatedConversation,
    entry: Pick<Entry, 'by' | 'text'> & Partial<Pick<Entry, 'ourId' | 'agent' | 'file'>>,
  ): Entry {
    const written: Entry = {
      ourId: null,
      agent: null,
      file: null,
      ...entry,
      id: ++this.lastId,
      tick: ++this.tick,
      status: talk.view.status,
    };
    talk.entries.push(written);
    return written;
  }

  // ---- the port
  private existing(id: string): SimulatedConversation {
    const talk = this.allConversations.find(one => one.id === id && !one.deleted);
    if (!talk) throw new ProviderRefusedError('deleted', { gone: true });
    return talk;
  }

  override ensureContact: ScriptedProvider['ensureContact'] = async (_inbox, sessionId) => `contact-${sessionId}`;

  override openConversation: ScriptedProvider['openConversation'] = async ({ sessionId, mayExist }) => {
    const known = mayExist ? this.of(sessionId) : undefined;
    if (known) return known.id;
    const talk: SimulatedConversation = {
      id: randomUUID(),
      sessionId,
      deleted: false,
      entries: [],
      view: { status: 'BOT_HELD', agent: null, teamId: null },
      statusBy: 'us',
    };
    this.allConversations.push(talk);
    return talk.id;
  };

  private post(
    talkId: string,
    ourId: string,
    text: string,
    { mayExist, lookupAfter }: Pick<PostMessage, 'mayExist' | 'lookupAfter'>,
    file: string | null = null,
  ): string {
    const talk = this.existing(talkId);
    const known = mayExist
      ? talk.entries.find(entry => entry.ourId === ourId && entry.id > Number(lookupAfter ?? 0))
      : undefined;
    return String((known ?? this.write(talk, { ourId, by: 'us', text, file })).id);
  }

  override postMessage: ScriptedProvider['postMessage'] = async request => {
    const talk = this.existing(request.conversation.conversationId);
    if (request.message.text.startsWith('poison')) throw new ProviderRefusedError('never');
    const id = this.post(talk.id, request.message.id, request.message.text, request);
    // An end-user's message opens a snoozed conversation, and gives a resolved one to the bot.
    if (request.message.author === 'END_USER' && talk.view.status === 'RESOLVED')
      this.setStatus(talk, 'BOT_HELD', 'giveBack', 'people');
    if (request.message.author === 'END_USER' && talk.view.status === 'ON_HOLD')
      this.setStatus(talk, 'OPEN', 'wake', 'people');
    return id;
  };

  override postNote: ScriptedProvider['postNote'] = async (request: PostNote) =>
    this.post(request.conversation.conversationId, request.noteId, request.text, request);

  postTranscript = async (request: PostTranscript) =>
    this.post(request.conversation.conversationId, request.noteId, request.title, request, request.content);
  postingCapacity = (): number => HISTORY_ROOM;

  override returnToBot: ScriptedProvider['returnToBot'] = async (access, _signal, reportNewest) => {
    const talk = this.existing(access.conversationId);
    Object.assign(talk.view, { agent: null, teamId: null });
    this.setStatus(talk, 'BOT_HELD', 'held', 'us');
    reportNewest?.(talk.entries.at(-1)?.id.toString() ?? null);
  };

  override openForAgents: ScriptedProvider['openForAgents'] = async ({ conversation, teamId, agentId }) => {
    const talk = this.existing(conversation.conversationId);
    Object.assign(talk.view, { agent: agentId ?? talk.view.agent, teamId: teamId ?? talk.view.teamId });
    this.setStatus(talk, 'OPEN', 'opened', 'us', agentId);
  };

  override resolve: ScriptedProvider['resolve'] = async (access, _signal, reportNewest) => {
    const talk = this.existing(access.conversationId);
    this.setStatus(talk, 'RESOLVED', 'closed', 'us');
    reportNewest?.(talk.entries.at(-1)?.id.toString() ?? null);
  };

  override readConversation: ScriptedProvider['readConversation'] = async access => {
    const { status, teamId, agent } = this.existing(access.conversationId).view;
    return { status, teamId, agent: agent === null ? null : { externalId: agent, name: agent } };
  };

  override listMessages: ScriptedProvider['listMessages'] = async ({
    conversation,
    after,
  }: ListMessages): Promise<ObservationPage> => {
    const from = Math.max(0, Number(after ?? 0) - READ_AGAIN);
    const entries = this.existing(conversation.conversationId)
      .entries.filter(entry => entry.id > from)
      .slice(0, PAGE);
    const observations = entries.map((entry): Observation => {
      const [id, at] = [String(entry.id), new Date(0).toISOString()];
      if (entry.ourId !== null) return { kind: 'echo', id, ourId: entry.ourId };
      const agent = { externalId: entry.agent!, name: entry.agent! };
      return entry.by === 'note'
        ? { kind: 'note', id, agent, at }
        : { kind: 'agentMessage', id, agent, text: entry.text, attachments: [], at, omittedContent: entry.file };
    });
    return {
      observations,
      after: entries.length === 0 ? after : String(entries.at(-1)!.id),
      hasMore: entries.length === PAGE,
    };
  };

  listChangedConversations = async () => ({
    conversationIds: this.allConversations.filter(({ deleted }) => !deleted).map(({ id }) => id),
    hasMore: false,
  });
}

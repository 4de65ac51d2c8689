import type { ChatwootDouble, ChatwootVersion } from '../double';
import type { CompareOptions } from './compare';
import { readRecording, recordingsIn, type RecordedExchange } from './recordings';
import { Replay, type Answer } from './replay';

const A = '/api/v1/accounts/1';
export const FOLDERS = { '4.10': 'rest', '4.14': 'rest-4.14' } as const;
export type SharedVersion = keyof typeof FOLDERS;

/** Our values for the ids in a recorded request. If omitted, as recorded. */
export interface Where extends CompareOptions {
  readonly conversation?: number;
  readonly message?: number;
  readonly contact?: number;
  readonly inbox?: number;
  readonly team?: number;
  readonly assignee?: number;
  readonly sourceId?: string;
  /** Other fields of the body to replace. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Replaces the recorded path after `/api/v1/accounts/1`. */
  readonly path?: string;
}

/**
 * Recreates the world of the facts marked [both]: an account with two administrators (Admin, and Bridge, who is
 * BotAgent1), the agents Alice, Bob and Carol, an agent bot without an inbox, a team, a normal inbox and a locked one.
 */
export class SharedReplay {
  readonly played: string[] = [];
  readonly people: Record<'ADMIN' | 'BOT' | 'ALICE' | 'BOB' | 'CAROL', number> = {
    ADMIN: 0,
    BOT: 0,
    ALICE: 0,
    BOB: 0,
    CAROL: 0,
  };
  inbox = 0;
  locked = 0;
  team = 0;
  bot = 0;
  private made = 0;

  private constructor(
    readonly version: SharedVersion,
    readonly theatre: Replay,
  ) {}

  static async open(version: SharedVersion): Promise<SharedReplay> {
    const theatre = await Replay.open({ version: version as ChatwootVersion, activityDelayMs: 0, deletionDelayMs: 1 });
    const replay = new SharedReplay(version, theatre);
    theatre.replacements.set('http://127.0.0.1:47810', theatre.receiver.url);
    theatre.replacements.set('http://127.0.0.1:47814', theatre.receiver.url);
    await theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts', {
      name: version === '4.10' ? 'facts 410' : 'facts 414',
    });
    for (const who of ['ADMIN', 'BOT', 'ALICE', 'BOB', 'CAROL'] as const) {
      const name = { ADMIN: 'Admin', BOT: 'Bridge', ALICE: 'Alice', BOB: 'Bob', CAROL: 'Carol' }[who];
      const user = await theatre.call('PLATFORM', 'POST', '/platform/api/v1/users', {
        name: `${name} zzz000`,
        email: `${name.toLowerCase()}.zzz000@acceptance.example`,
        password: 'Passw0rd!x',
      });
      theatre.replacements.set(`<${who}_TOKEN>`, user.access_token);
      replay.people[who] = user.id;
      await theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts/1/account_users', {
        user_id: user.id,
        role: who === 'ADMIN' || who === 'BOT' ? 'administrator' : 'agent',
      });
    }
    replay.inbox = (await replay.newInbox('Support')).id;
    replay.locked = (await replay.newInbox('Locked', { lock_to_single_conversation: true })).id;
    replay.team = (await replay.call('POST', '/teams', { team: { name: 'billing', allow_auto_assign: false } })).id;
    await replay.call('POST', `/teams/${replay.team}/team_members`, {
      user_ids: [replay.people.ALICE, replay.people.BOB],
    });
    for (const [token, name] of [
      ['<AGENT_BOT_TOKEN>', 'Facts bot'],
      ['<OTHER_BOT_TOKEN>', 'Other bot'],
    ] as const) {
      const made = await replay.call('POST', '/agent_bots', { name });
      theatre.replacements.set(token, made.access_token);
      if (name === 'Facts bot') replay.bot = made.id;
    }
    return replay;
  }

  get double(): ChatwootDouble {
    return this.theatre.double;
  }
  close(): Promise<void> {
    return this.theatre.close();
  }
  whenIdle(): Promise<void> {
    return this.double.whenIdle();
  }

  call(method: string, path: string, body?: unknown, who = 'ADMIN'): Promise<Answer> {
    return this.theatre.call(who, method, `${A}${path}`, body);
  }

  async newInbox(name: string, more: object = {}): Promise<Answer> {
    const inbox = await this.call('POST', '/inboxes', {
      name,
      enable_auto_assignment: false,
      ...more,
      channel: { type: 'api' },
    });
    await this.call('POST', '/inbox_members', {
      inbox_id: inbox.id,
      user_ids: [this.people.ALICE, this.people.BOB, this.people.CAROL],
    });
    return inbox;
  }

  async contact(more: object = {}, inbox = this.inbox): Promise<{ id: number; sourceId: string }> {
    const identifier = `id-${String(++this.made).padStart(6, '0')}`;
    const { payload } = await this.call('POST', '/contacts', { inbox_id: inbox, name: 'Vera', identifier, ...more });
    return { id: payload.contact.id, sourceId: payload.contact_inbox.source_id };
  }

  /** Creates a new visitor's conversation and returns its number. */
  async conversation(more: object = {}, inbox = this.inbox): Promise<number> {
    const { id, sourceId } = await this.contact({}, inbox);
    return (
      await this.call('POST', '/conversations', { inbox_id: inbox, contact_id: id, source_id: sourceId, ...more })
    ).id;
  }

  async say(conversation: number, content: string, more: object = {}, who = 'BOT'): Promise<number> {
    return (await this.call('POST', `/conversations/${conversation}/messages`, { content, ...more }, who)).id;
  }

  /**
   * Replays the recording of that name, whatever its status in this version.
   * @throws with every difference
   */
  play(name: string, where: Where = {}): Promise<Answer> {
    const folder = FOLDERS[this.version];
    const file = recordingsIn(folder).find(one => one.replace(/\.\d{3}\.json$/, '') === name);
    if (file === undefined) throw new Error(`There is no recording ${name} of ${this.version}; check the name.`);
    this.played.push(file);
    const { request } = readRecording<RecordedExchange>(folder, file);
    const path = where.path === undefined ? this.pathHere(request.path, where) : `${A}${where.path}`;
    const body = this.bodyHere(request.body, where);
    return this.theatre.play(folder, file, { ...where, anySuffix: true, path, ...(body !== undefined && { body }) });
  }

  /** Like `play`, with the whole path replaced. */
  playAt(name: string, path: string): Promise<Answer> {
    const folder = FOLDERS[this.version];
    const file = recordingsIn(folder).find(one => one.replace(/\.\d{3}\.json$/, '') === name) ?? name;
    this.played.push(file);
    return this.theatre.play(folder, file, { anySuffix: true, path });
  }

  /** Like `play`, for a file by its whole name, where only the status differs. */
  playFile(file: string): Promise<Answer> {
    const folder = FOLDERS[this.version];
    const { request } = readRecording<RecordedExchange>(folder, file);
    this.played.push(file);
    return this.theatre.play(folder, file, { anySuffix: true, path: this.pathHere(request.path, {}) });
  }

  private pathHere(path: string, { conversation, message, contact, inbox, team }: Where): string {
    const named: readonly (readonly [RegExp, number | undefined])[] = [
      [/(?<=\/conversations\/)\d+/, conversation],
      [/(?<=\/messages\/)\d+/, message],
      [/(?<=\/contacts\/)\d+/, contact],
      [/(?<=\/(?:inboxes|inbox_members)\/)\d+/, inbox],
      [/(?<=[?&]inbox_id=)\d+/, inbox],
      [/(?<=[?&]team_id=)\d+/, team],
    ];
    return named.reduce(
      (text, [pattern, id]) => (id === undefined ? text : text.replace(pattern, String(id))),
      path.replace(/(?<=accounts\/)\d+/, '1'),
    );
  }

  private bodyHere(body: unknown, { contact, inbox, team, assignee, sourceId, body: more }: Where): unknown {
    if (typeof body !== 'object' || body === null || 'multipart' in body) return more ?? undefined;
    const here: Record<string, unknown> = { ...body };
    for (const [key, value] of Object.entries({
      contact_id: contact,
      inbox_id: inbox,
      team_id: team,
      assignee_id: assignee,
      source_id: sourceId,
    }))
      if (key in here && value !== undefined) here[key] = value;
    return { ...here, ...more };
  }
}

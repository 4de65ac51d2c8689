import { request } from 'node:http';
import { createChatwootWorld, ORG, type ChatwootWorld, type ChatwootWorldOptions } from '../../../../../test/support/chatwoot-world';
import { finishEndings } from '../../../../core/flows/end-handoff';
import type { WebhookRecording } from '../recording-files';

/** People by the numbers that the recordings have them under. */
export const BOT_AGENT = 3;
export const ALICE = 4;
export const BOB = 5;
/** The agent bot, likewise. */
export const AGENT_BOT = 2;
const SCOPE = { organizationId: ORG };
const TYPES = ['incoming', 'outgoing', 'activity', 'template'];

/** What a webhook could have changed, as those see it whom it concerns. */
export interface Picture {
  /** What the runtime has still to collect. */
  readonly told: readonly string[];
  readonly control: string;
  /** The newest one's state, why it ended, who has it. */
  readonly handoff: string | null;
  /** The conversation's state as we hold it. */
  readonly view: string | null;
  readonly words: readonly string[];
  readonly survey: string | null;
  /** Messages that agents see marked as failed. */
  readonly failed: readonly number[];
  /** The conversation's status in Chatwoot itself. */
  readonly status: string;
}

interface Posted {
  readonly recording?: WebhookRecording;
  readonly headers?: WebhookRecording['headers'];
  readonly body?: Buffer;
  /** After it was signed. */
  readonly lateMs?: number;
}

/**
 * Our receiver, store and flows, and a Chatwoot that gives out the numbers of one recording and whose own webhooks never
 * arrive: what reaches us is what the test posts.
 */
export class Scene {
  /** Of the Session whose conversation has the recorded number, once it has begun. */
  sessionId = '';
  root = 0;

  private constructor(readonly recording: WebhookRecording, readonly world: ChatwootWorld) {}

  static async open(recording: WebhookRecording, options: ChatwootWorldOptions = {}): Promise<Scene> {
    const { inbox } = numbersIn(recording);
    const world = await createChatwootWorld({
      version: recording.secret === undefined ? '4.10' : '4.14', owners: [{ name: 'Alice', email: 'alice@people.example' }],
      // No timer asks for a reading meanwhile.
      limits: { livePollMs: 3_600_000 },
      beforeSetUp(double) {
        double.setNextIds({ user: BOT_AGENT, agentBot: AGENT_BOT, inbox });
        double.dropWebhooks();
      },
      ...options,
    });
    const scene = new Scene(recording, world);
    // An owner is an administrator; the recorded Alice is an agent, like Bob.
    await world.setRole(ALICE, 'agent');
    await world.farSide.call('POST', `${world.accountPath}/inbox_members`, world.admin, { inbox_id: inbox, user_ids: [ALICE] });
    await world.addPerson('Bob');
    scene.root = await world.addPerson('Root', 'administrator');
    if (recording.secret !== undefined) await scene.keepSecret(recording.secret);
    return scene;
  }

  close(): Promise<void> { return this.world.close(); }

  // ---- how things stood

  /** The bot has the conversation. */
  async begin({ conversation = numbersIn(this.recording).conversation } = {}): Promise<void> {
    this.world.double.setNextIds({ conversation });
    this.sessionId = await this.world.talk('hello');
  }
  /** People were asked for. */
  async handOver(): Promise<void> {
    this.world.double.setNextIds({ conversation: numbersIn(this.recording).conversation });
    this.sessionId = await this.world.handedOver();
  }

  /** All of it so far is known to us and collected by the runtime. */
  async settle(): Promise<void> {
    await this.follow();
    await this.world.read(this.sessionId);
    await this.follow();
    await this.world.acknowledgeAll(this.sessionId);
  }

  /** Handoffs that are over and collected are so for good. */
  async finish(): Promise<void> {
    await this.settle();
    await finishEndings(this.world.deps, 10, (_, error) => { throw error; });
    await this.settle();
  }

  async keepSecret(webhookSecret: string): Promise<void> {
    const { id, providerData } = this.world.inbox;
    await this.world.stores.setup.updateInbox(id, { providerData: { ...providerData, webhookSecret } });
  }

  // ---- what was done at Chatwoot

  by(userId: number) { return this.world.double.agent(userId, { accountId: 1, conversationId: numbersIn(this.recording).conversation }); }
  get alice() { return this.by(ALICE); }
  get rooted() { return this.by(this.root); }
  /** What is said next has this number. */
  next(message: number): void { this.world.double.setNextIds({ message }); }
  /** Through the API, by default as BotAgent1. */
  act(path: string, body: object, token?: string): Promise<unknown> { return this.world.act(this.sessionId, 'POST', path, body, token); }
  get agentBotToken(): string { return String(this.world.account.credentials['agentBotToken']); }

  // ---- the webhook

  /** As it was recorded, byte by byte, unless it is said how not; our clock is where it was. */
  async post({ recording = this.recording, headers = recording.headers, body = Buffer.from(recording.body), lateMs = 1_500 }: Posted = {}): Promise<{ status: number; outcome: string }> {
    const { world } = this;
    const url = `${world.deps.publicUrl}/webhooks/${world.account.id}/${world.account.webhookSecret}`;
    const signedAt = Number(recording.headers['x-chatwoot-timestamp'] ?? NaN) * 1000;
    if (!Number.isNaN(signedAt)) world.time.aheadMs = signedAt + lateMs - Date.now();
    const status = await new Promise<number>((resolve, reject) => {
      request(url, { method: 'POST', headers, agent: false }, response => response.resume().on('end', () => resolve(response.statusCode!)))
        .on('error', reject).end(body);
    });
    world.time.aheadMs = 0;
    const outcomes = world.logged.map(line => JSON.parse(line) as { message: string; outcome: string }).filter(({ message }) => message === 'webhook');
    return { status, outcome: outcomes.at(-1)!.outcome };
  }

  /** Whether the conversation is to be looked at, and why. */
  async wish(): Promise<string | null> { return this.sessionId === '' ? null : (await this.world.session(this.sessionId)).readHint; }

  /** What is wished for and owed, until nothing is. @returns readings */
  async follow(): Promise<number> {
    let readings = 0;
    for (let more = 1; more > 0; readings += more) {
      more = await this.world.readHinted();
      const errors = await this.world.deliverAll();
      if (errors.length > 0) throw new Error(errors.join());
    }
    return readings;
  }

  // ---- what came of it

  async picture(): Promise<Picture> {
    const { world, sessionId } = this;
    const { control, lastView } = await world.session(sessionId);
    const { rows: [handoff] } = await world.pool.query('select state, end_reason, agent_name, survey from handoff where session_id = $1 order by requested_at desc, state limit 1', [sessionId]);
    const { rows: said } = await world.pool.query("select author, author_name, text, attachments, deleted_at from message where session_id = $1 and author <> 'END_USER' order by seq", [sessionId]);
    const there = await world.messages(sessionId);
    return {
      told: await world.collected(sessionId), control,
      handoff: handoff ? [handoff.state, handoff.end_reason, handoff.agent_name].filter(Boolean).join(' ') : null,
      view: lastView && [lastView.status, lastView.agent?.externalId && `agent ${lastView.agent.externalId}`, lastView.teamId && `team ${lastView.teamId}`].filter(Boolean).join(', '),
      words: said.map(({ author, author_name: name, text, attachments, deleted_at: deleted }) =>
        [author, name, `"${text}"`, ...attachments.map((file: { name: string }) => file.name), deleted && 'taken back'].filter(Boolean).join(' ')),
      survey: handoff?.survey ? [handoff.survey.externalId, handoff.survey.answer?.rating, handoff.survey.answer?.comment].filter(Boolean).join(' ') : null,
      failed: there.filter(({ status }) => status === 'failed').map(({ id }) => id),
      status: (await world.conversation(sessionId)).status,
    };
  }

  /** Everything of the store that a webhook may ever change, but for the reading itself. */
  async rows(): Promise<unknown> {
    const all = async (table: string, order: string) => (await this.world.pool.query(`select * from ${table} order by ${order}`)).rows;
    const { readHint: _hint, stateReadAt: _at, readAfter: _after, ...session } = await this.world.session(this.sessionId);
    return { session, message: await all('message', 'id'), event: await all('event', 'session_id, seq'), handoff: await all('handoff', 'id'), delivery: await all('delivery', 'id'), stray: await all('stray_conversation', 'session_id, conversation_id') };
  }

  /** Whether what the body claims is so in Chatwoot now. */
  async isTrue(): Promise<boolean> {
    const body = JSON.parse(this.recording.body);
    if (!/^(message|conversation)_/.test(body.event) || /typing/.test(body.event)) return true;
    if (body.event.startsWith('conversation_')) {
      const { status, meta } = await this.world.conversation(this.sessionId);
      const idsIn = (of: any) => [of.assignee?.id ?? null, of.team?.id ?? null];
      return status === body.status && String(idsIn(meta)) === String(idsIn(body.meta));
    }
    const row = (await this.world.messages(this.sessionId)).find(({ id }) => id === body.id);
    const isTheirs = !['user', 'agent_bot'].includes(body.sender?.type) || (row?.sender?.id === body.sender.id && row.sender.type === body.sender.type);
    return row !== undefined && TYPES[row.message_type] === body.message_type && row.private === body.private && isTheirs
      && (body.content === row.content || body.content_type === 'input_csat') && ['deleted', 'submitted_values', 'external_error'].every(key => (key in body.content_attributes) === (key in row.content_attributes));
  }

  /** Survey, and what Chatwoot says by itself. */
  setInbox(settings: object): Promise<unknown> {
    return this.world.farSide.call('PATCH', `${this.world.accountPath}/inboxes/${this.world.inbox.externalId}`, this.world.admin, settings);
  }

  /** What the channel made of a message of Alice's, as the runtime reports it. */
  async report(providerMessageId: number, state: 'DELIVERED' | 'FAILED', error: string | null = null): Promise<void> {
    const { rows: [message] } = await this.world.pool.query('select id from message where provider_message_id = $1', [String(providerMessageId)]);
    await this.world.flows.reportChannelDelivery(SCOPE, { sessionId: this.sessionId, messageId: message.id, state, error, idempotencyKey: this.world.nextKey() });
    await this.follow();
  }
}

/** A body that is about none is posted beside the first conversation. */
export function numbersIn({ body }: WebhookRecording): { conversation: number; inbox: number } {
  const { event, id, inbox_id: inboxId, conversation } = JSON.parse(body);
  return event.startsWith('conversation_') && !event.includes('typing') ? { conversation: id, inbox: inboxId } : { conversation: conversation?.id ?? 1, inbox: conversation?.inbox_id ?? 1 };
}

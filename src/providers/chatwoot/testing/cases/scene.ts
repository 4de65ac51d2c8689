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
}

/** A body that is about none is posted beside the first conversation. */
export function numbersIn({ body }: WebhookRecording): { conversation: number; inbox: number } {
  const { event, id, inbox_id: inboxId, conversation } = JSON.parse(body);
  return event.startsWith('conversation_') && !event.includes('typing') ? { conversation: id, inbox: inboxId } : { conversation: conversation?.id ?? 1, inbox: conversation?.inbox_id ?? 1 };
}

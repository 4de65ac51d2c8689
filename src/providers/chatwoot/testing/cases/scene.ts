import { request } from 'node:http';
import { createChatwootWorld, ORG, type ChatwootWorld, type ChatwootWorldOptions } from '../chatwoot-world';
import { finishEndings } from '../../../../core/flows/handoff/finish-endings';
import type { WebhookRecording } from '../recording-files';

/** Users by their ids in the recordings. */
export const BOT_AGENT = 3;
export const ALICE = 4;
export const BOB = 5;
/** The agent bot's id in the recordings. */
export const AGENT_BOT = 2;
const SCOPE = { organizationId: ORG };

interface Posted {
  readonly recording?: WebhookRecording;
  readonly headers?: WebhookRecording['headers'];
  readonly body?: Buffer;
  /** Milliseconds between signing and posting. */
  readonly lateMs?: number;
}

/**
 * Our receiver, store and flows with a Chatwoot double that assigns the ids of one recording. Its own webhooks are
 * dropped: only those that the test posts arrive.
 */
export class RecordedScene {
  /** The session whose conversation has the recorded number. Empty before `begin`. */
  sessionId = '';
  root = 0;

  private constructor(
    readonly recording: WebhookRecording,
    readonly world: ChatwootWorld,
  ) {}

  static async open(recording: WebhookRecording, options: ChatwootWorldOptions = {}): Promise<RecordedScene> {
    const { inbox } = numbersIn(recording);
    const world = await createChatwootWorld({
      version: recording.secret === undefined ? '4.10' : '4.14',
      owners: [{ name: 'Alice', email: 'alice@people.example' }],
      // No timer requests a sync meanwhile.
      limits: { liveScanIntervalMs: 3_600_000 },
      beforeSetUp(double) {
        double.setNextIds({ user: BOT_AGENT, agentBot: AGENT_BOT, inbox });
        double.dropWebhooks();
      },
      ...options,
    });
    const scene = new RecordedScene(recording, world);
    // An owner is an administrator; the recorded Alice is an agent, like Bob.
    await world.setRole(ALICE, 'agent');
    await world.farSide.call('POST', `${world.accountPath}/inbox_members`, world.admin, {
      inbox_id: inbox,
      user_ids: [ALICE],
    });
    await world.addPerson('Bob');
    scene.root = await world.addPerson('Root', 'administrator');
    if (recording.secret !== undefined) await scene.keepSecret(recording.secret);
    return scene;
  }

  close(): Promise<void> {
    return this.world.close();
  }

  // ---- the state before the webhook

  /** Opens a session that the bot has. */
  async begin({ conversation = numbersIn(this.recording).conversation } = {}): Promise<void> {
    this.world.double.setNextIds({ conversation });
    this.sessionId = await this.world.openMirroredSession('hello');
  }
  /** Opens a session and requests a handoff. */
  async handOver(): Promise<void> {
    this.world.double.setNextIds({ conversation: numbersIn(this.recording).conversation });
    this.sessionId = await this.world.handedOver();
  }

  /** Syncs everything so far and lets the runtime collect it. */
  async syncAndCollect(): Promise<void> {
    await this.runUntilIdle();
    await this.world.read(this.sessionId);
    await this.runUntilIdle();
    await this.world.acknowledgeAll(this.sessionId);
  }

  /** Ends handoffs for good that are over and collected. */
  async finish(): Promise<void> {
    await this.syncAndCollect();
    await finishEndings(this.world.deps, 10, (_, error) => {
      throw error;
    });
    await this.syncAndCollect();
  }

  async keepSecret(webhookSecret: string): Promise<void> {
    const { id, providerData } = this.world.inbox;
    await this.world.stores.setup.updateInbox(id, { providerData: { ...providerData, webhookSecret } });
  }

  // ---- actions in Chatwoot

  by(userId: number) {
    return this.world.double.agent(userId, { accountId: 1, conversationId: numbersIn(this.recording).conversation });
  }
  get alice() {
    return this.by(ALICE);
  }
  get rooted() {
    return this.by(this.root);
  }
  /** Sets the id of the next message. */
  next(message: number): void {
    this.world.double.setNextIds({ message });
  }
  /** Calls the API, by default as BotAgent1. */
  act(path: string, body: object, token?: string): Promise<unknown> {
    return this.world.act(this.sessionId, 'POST', path, body, token);
  }
  get agentBotToken(): string {
    return String(this.world.account.credentials['agentBotToken']);
  }

  /** Changes the inbox's settings of surveys and automatic replies. */
  setInbox(settings: object): Promise<unknown> {
    return this.world.farSide.call(
      'PATCH',
      `${this.world.accountPath}/inboxes/${this.world.inbox.externalId}`,
      this.world.admin,
      settings,
    );
  }

  /** Reports the channel's delivery state of an agent's message, as the runtime does. */
  async report(providerMessageId: number, state: 'DELIVERED' | 'FAILED', error: string | null = null): Promise<void> {
    const {
      rows: [message],
    } = await this.world.pool.query('select id from message where provider_message_id = $1', [
      String(providerMessageId),
    ]);
    await this.world.flows.reportChannelDelivery(SCOPE, {
      sessionId: this.sessionId,
      messageId: message.id,
      state,
      error,
      idempotencyKey: this.world.nextKey(),
    });
    await this.runUntilIdle();
  }

  // ---- the webhook

  /** Posts the webhook as recorded, byte by byte, unless options change it. Our clock shows the recorded time. */
  async post({
    recording = this.recording,
    headers = recording.headers,
    body = Buffer.from(recording.body),
    lateMs = 1_500,
  }: Posted = {}): Promise<{ status: number; outcome: string }> {
    const { world } = this;
    const url = `${world.deps.publicUrl}/webhooks/${world.account.id}/${world.account.webhookSecret}`;
    const signedAt = Number(recording.headers['x-chatwoot-timestamp'] ?? NaN) * 1000;
    if (!Number.isNaN(signedAt)) world.time.aheadMs = signedAt + lateMs - Date.now();
    const status = await new Promise<number>((resolve, reject) => {
      request(url, { method: 'POST', headers, agent: false }, response =>
        response.resume().on('end', () => resolve(response.statusCode!)),
      )
        .on('error', reject)
        .end(body);
    });
    world.time.aheadMs = 0;
    const outcomes = world.logged
      .map(line => JSON.parse(line) as { message: string; outcome: string })
      .filter(({ message }) => message === 'webhook');
    return { status, outcome: outcomes.at(-1)!.outcome };
  }

  /** Returns the kind of the requested sync, or null. */
  async requestedSync(): Promise<string | null> {
    return this.sessionId === '' ? null : (await this.world.session(this.sessionId)).syncHint;
  }

  /**
   * Runs requested syncs and pending deliveries until there are none.
   * @returns the number of syncs
   */
  async runUntilIdle(): Promise<number> {
    let syncCount = 0;
    for (let more = 1; more > 0; syncCount += more) {
      more = await this.world.runDueSyncs();
      const errors = await this.world.deliverAll();
      if (errors.length > 0) throw new Error(errors.join());
    }
    return syncCount;
  }
}

/**
 * Returns the numbers of conversation and inbox that a body names. A body that names none is posted beside the first
 * conversation.
 */
export function numbersIn({ body }: WebhookRecording): { conversation: number; inbox: number } {
  const { event, id, inbox_id: inboxId, conversation } = JSON.parse(body);
  return event.startsWith('conversation_') && !event.includes('typing')
    ? { conversation: id, inbox: inboxId }
    : { conversation: conversation?.id ?? 1, inbox: conversation?.inbox_id ?? 1 };
}

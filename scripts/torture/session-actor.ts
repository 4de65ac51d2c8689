import {
  CancelHandoffDocument,
  CloseSessionDocument,
  OpenSessionDocument,
  RecordEndUserMessageDocument,
  RequestHandoffDocument,
  SendBotMessageDocument,
} from '../../examples/generated/client';
import type { SupportClient, UserError } from '../../examples/support-client';
import type { ShutdownSignal } from './shutdown-signal';
import type { SeededRandom } from './seeded-random';
import type { Control, RuntimeOperation } from './evidence';
import type { RunRecord } from './record';
import { PUSHED, type Chatbot } from './world';

export interface SessionActorOptions {
  readonly name: string;
  readonly chatbot: Chatbot;
  readonly client: SupportClient;
  readonly random: SeededRandom;
  readonly record: RunRecord;
  readonly shutdown: ShutdownSignal;
  /** Chatwoot's own team numbers. */
  readonly teams: readonly number[];
}

interface Payload {
  readonly userErrors: readonly UserError[];
  readonly session?: { readonly id: string; readonly control: Control; readonly epoch: number } | null;
  readonly message?: { readonly seq: number } | null;
  readonly handoff?: { readonly id: string } | null;
  readonly mayReply?: boolean | null;
  readonly delivered?: boolean | null;
}
type Called = {
  readonly operation: RuntimeOperation;
  readonly key: string;
  readonly text?: string;
  readonly epoch?: number;
  call(): Promise<Payload>;
};

/**
 * One end-user and their bot, following docs/runtime.md: each call is repeated with the same key until it gets a
 * response.
 */
export class SessionActor {
  sessionId = '';
  private epoch = 1;
  private isClosed = false;
  private count = { user: 0, bot: 0, other: 0 };
  /** Replies that the bot is preparing, with the epoch of the response that permitted each. */
  private readonly pendingReplies: { readonly epoch: number }[] = [];

  constructor(private readonly options: SessionActorOptions) {}

  get name(): string {
    return this.options.name;
  }

  /** Runs until the shutdown signal or until the session is closed. */
  async run(): Promise<void> {
    const { chatbot, client, record, name, shutdown } = this.options;
    const opened = await this.invoke({
      operation: 'open',
      key: name,
      call: async () =>
        (
          await client.call(OpenSessionDocument, {
            input: { chatbotId: chatbot.id, channel: 'torture', externalId: name, endUser: { name } },
          })
        ).openSupportSession,
    });
    if (!opened?.session) return shutdown.pause(1_000);
    this.sessionId = opened.session.id;
    record.add({
      kind: 'opened',
      session: name,
      mirroring: chatbot.mirroring,
      whileWaiting: chatbot.whileWaiting,
      lines: chatbot.lines,
      isPushed: chatbot.id === PUSHED,
    });
    await Promise.all([this.runEndUser(), this.runBot()]);
  }

  private get isRunning(): boolean {
    return !this.options.shutdown.isOver && !this.isClosed;
  }

  private async runEndUser(): Promise<void> {
    const { random, shutdown } = this.options;
    while (this.isRunning) {
      await shutdown.pause(random.between(200, 2_500));
      if (!this.isRunning) return;
      switch (random.weighted({ say: 75, burst: 6, ask: 12, cancel: 2.5, close: 0.7 })) {
        case 'say':
          await this.recordMessage();
          break;
        case 'burst':
          for (let i = 0; i < 4 && this.isRunning; i++) await this.recordMessage();
          break;
        case 'ask':
          await this.requestHandoff();
          break;
        case 'cancel':
          await this.cancel();
          break;
        case 'close':
          await this.close();
          break;
      }
    }
  }

  private async runBot(): Promise<void> {
    const { random, shutdown } = this.options;
    while (this.isRunning) {
      const thought = this.pendingReplies.shift();
      // Some bots take so long that an agent has replied meanwhile; some reply without being asked.
      if (thought) await shutdown.pause(random.chance(0.2) ? random.between(1_000, 6_000) : random.between(0, 500));
      else await shutdown.pause(200);
      if (!this.isRunning) return;
      if (thought) await this.sendMessage(thought.epoch);
      else if (random.chance(0.01)) await this.sendMessage(this.epoch);
    }
  }

  private async recordMessage(): Promise<void> {
    const { client, name } = this.options;
    const key = `${name}:u${++this.count.user}`;
    const text = `[${name} user ${this.count.user}]`;
    const payload = await this.invoke({
      operation: 'user',
      key,
      text,
      call: async () =>
        (
          await client.call(RecordEndUserMessageDocument, {
            input: { sessionId: this.sessionId, text, idempotencyKey: key },
          })
        ).recordEndUserMessage,
    });
    if (payload?.mayReply) this.pendingReplies.push({ epoch: payload.session!.epoch });
  }

  private async sendMessage(epoch: number): Promise<void> {
    const { client, name, random } = this.options;
    const key = `${name}:b${++this.count.bot}`;
    const text = `[${name} bot ${this.count.bot}]`;
    const onControlLost = random.chance(0.3) ? 'SUGGEST' : 'REJECT';
    await this.invoke({
      operation: 'bot',
      key,
      text,
      epoch,
      call: async () =>
        (
          await client.call(SendBotMessageDocument, {
            input: { sessionId: this.sessionId, epoch, text, idempotencyKey: key, onControlLost },
          })
        ).sendBotMessage,
    });
  }

  private async requestHandoff(): Promise<void> {
    const { client, name, random, teams } = this.options;
    const key = `${name}:h${++this.count.other}`;
    const reason = `[${name} asked ${this.count.other}]`;
    const target = random.chance(0.5) ? { team: String(random.pick(teams)) } : undefined;
    const epoch = random.chance(0.3) ? this.epoch : undefined;
    await this.invoke({
      operation: 'handoff',
      key,
      text: reason,
      ...(epoch !== undefined && { epoch }),
      call: async () =>
        (
          await client.call(RequestHandoffDocument, {
            input: {
              sessionId: this.sessionId,
              idempotencyKey: key,
              reason,
              resumeTarget: key,
              ...(target && { target }),
              ...(epoch !== undefined && { epoch }),
            },
          })
        ).requestHandoff,
    });
  }

  private async cancel(): Promise<void> {
    const { client, name, random } = this.options;
    const key = `${name}:c${++this.count.other}`;
    const reason = random.pick(['BOT_CANCELLED', 'USER_ENDED'] as const);
    await this.invoke({
      operation: 'cancel',
      key,
      text: reason,
      call: async () =>
        (
          await client.call(CancelHandoffDocument, {
            input: { sessionId: this.sessionId, reason, idempotencyKey: key },
          })
        ).cancelHandoff,
    });
  }

  private async close(): Promise<void> {
    const { client, name } = this.options;
    const key = `${name}:close`;
    await this.invoke({
      operation: 'close',
      key,
      call: async () =>
        (await client.call(CloseSessionDocument, { input: { sessionId: this.sessionId, idempotencyKey: key } }))
          .closeSupportSession,
    });
    this.isClosed = true;
  }

  /** Makes a call, now and then twice at once, and records the request and each response. */
  private async invoke({ operation, key, text, epoch, call }: Called): Promise<Payload | undefined> {
    const { record, name: session, random } = this.options;
    record.add({ kind: 'asked', session, operation, key, text: text ?? null, epoch: epoch ?? null });
    const once = async () => {
      const payload = await this.untilAnswered(call);
      if (payload === undefined) {
        record.add({ kind: 'unanswered', session, operation, key });
        return undefined;
      }
      const [refusal] = payload.userErrors;
      const known =
        payload.session ??
        (refusal && refusal.control !== null && refusal.epoch !== null
          ? { control: refusal.control, epoch: refusal.epoch }
          : null);
      record.add({
        kind: 'answered',
        session,
        operation,
        key,
        refused: refusal?.code ?? null,
        control: known?.control ?? null,
        epoch: known?.epoch ?? null,
        seq: payload.message?.seq ?? null,
        delivered: payload.delivered ?? null,
        handoffId: payload.handoff?.id ?? null,
      });
      if (known) this.epoch = Math.max(this.epoch, known.epoch);
      return payload;
    };
    const [first] = await Promise.all([once(), ...(random.chance(0.05) ? [once()] : [])]);
    return first;
  }

  /** Repeats a call until it gets a response. The client itself repeats it for half a minute. */
  private async untilAnswered<T>(call: () => Promise<T>): Promise<T | undefined> {
    while (!this.options.shutdown.isAborted) {
      try {
        return await call();
      } catch {
        await this.options.shutdown.waitForRetry(1_000);
      }
    }
    return undefined;
  }
}

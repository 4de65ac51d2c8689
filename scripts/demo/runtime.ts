import {
  AcknowledgeDocument,
  CloseSessionDocument,
  ConversationStatusDocument,
  OpenSessionDocument,
  RecordEndUserMessageDocument,
  RequestHandoffDocument,
  RuntimeInboxDocument,
  SendBotMessageDocument,
  type RequestHandoffInput,
  type RuntimeInboxQuery,
  type SendBotMessageInput,
} from '../../examples/generated/client';
import { done, type SupportClient } from '../../examples/support-client';
import { Explain, type Explanation } from './operations';

type Delivery = RuntimeInboxQuery['supportRuntimeInbox']['nodes'][number];

/** A bot runtime without a bot: sends the demo's messages, and reports observations in short lines. */
export class Runtime {
  private sessionId = '';
  /** The newest epoch in any response. */
  epoch = 0;
  private calls = 0;

  constructor(
    readonly client: SupportClient,
    private readonly chatbotId: string,
    private readonly externalId: string,
  ) {}

  get session(): string {
    return this.sessionId;
  }

  async open(endUser: { readonly name: string }) {
    const { session, created } = done(
      (
        await this.client.call(OpenSessionDocument, {
          input: { chatbotId: this.chatbotId, channel: 'demo', externalId: this.externalId, endUser },
        })
      ).openSupportSession,
    );
    this.sessionId = session!.id;
    this.epoch = session!.epoch;
    return { created, control: session!.control, epoch: session!.epoch, mayReply: session!.mayReply };
  }

  async userSays(text: string) {
    const { recordEndUserMessage: payload } = await this.client.call(RecordEndUserMessageDocument, {
      input: { sessionId: this.sessionId, text, idempotencyKey: this.key() },
    });
    if (payload.userErrors.length > 0) return { refused: payload.userErrors.map(({ code }) => code) };
    this.epoch = payload.session!.epoch;
    return { mayReply: payload.mayReply, control: payload.session!.control };
  }

  async botSays(text: string, more: Partial<SendBotMessageInput> = {}) {
    const { sendBotMessage: payload } = await this.client.call(SendBotMessageDocument, {
      input: { sessionId: this.sessionId, epoch: this.epoch, text, idempotencyKey: this.key(), ...more },
    });
    const [error] = payload.userErrors;
    return error
      ? { refused: error.code, control: error.control, epoch: error.epoch }
      : { delivered: payload.delivered };
  }

  async requestHandoff(input: Partial<RequestHandoffInput> = {}) {
    const payload = done(
      (
        await this.client.call(RequestHandoffDocument, {
          input: { sessionId: this.sessionId, idempotencyKey: this.key(), ...input },
        })
      ).requestHandoff,
    );
    this.epoch = payload.session!.epoch;
    return payload;
  }

  /** Returns the pending deliveries, one line each. */
  async inbox(): Promise<readonly string[]> {
    return (await this.waiting()).map(lineOf);
  }

  async acknowledge(): Promise<void> {
    const ids = (await this.waiting()).map(({ id }) => id);
    if (ids.length > 0)
      done((await this.client.call(AcknowledgeDocument, { input: { ids } })).acknowledgeRuntimeDeliveries);
  }

  async explain(): Promise<Explanation> {
    return (await this.client.call(Explain, { sessionId: this.sessionId })).supportExplain!;
  }

  async close() {
    return done(
      (
        await this.client.call(CloseSessionDocument, {
          input: { sessionId: this.sessionId, idempotencyKey: this.key() },
        })
      ).closeSupportSession,
    );
  }

  /** Subscribes to the live status and returns the object that collects it. */
  async follow(after: number | null = null): Promise<LiveStatus> {
    const items = this.client.subscribe(ConversationStatusDocument, { sessionId: this.sessionId, after });
    const status = new LiveStatus();
    await status.start(items);
    return status;
  }

  private async waiting(): Promise<readonly Delivery[]> {
    return (await this.client.call(RuntimeInboxDocument, { sessionId: this.sessionId, first: 100 })).supportRuntimeInbox
      .nodes;
  }

  private key(): string {
    return `${this.externalId}:${++this.calls}`;
  }
}

interface StatusItem {
  readonly conversationStatus: {
    readonly seq: number;
    readonly isSnapshot: boolean;
    readonly control: string;
    readonly epoch: number;
    readonly handoffState: string | null;
    readonly isClosed: boolean;
  };
}

/** Collects the live status as a UI would show it, change by change. */
export class LiveStatus {
  readonly changes: string[] = [];
  readonly seqs: number[] = [];

  /**
   * Resolves after the first item: the snapshot, or the first change after a cursor. Continues until the client closes.
   */
  async start(items: AsyncGenerator<StatusItem, void>): Promise<void> {
    const first = await items.next();
    if (first.value) this.add(first.value);
    void (async () => {
      for await (const item of items) this.add(item);
    })().catch((error: unknown) => this.changes.push(`broken: ${String(error)}`));
  }

  private add({ conversationStatus: now }: StatusItem): void {
    this.seqs.push(now.seq);
    this.changes.push(
      [now.isSnapshot ? 'now:' : '', now.control, now.epoch, now.handoffState ?? '', now.isClosed ? 'closed' : '']
        .filter(part => part !== '')
        .join(' '),
    );
  }
}

function lineOf({ notice }: Delivery): string {
  switch (notice.__typename) {
    case 'SupportMessageNotice':
      return `${notice.message.author === 'AGENT' ? notice.message.authorName : 'service'}: ${notice.message.text}`;
    case 'HandoffStateNotice':
      return `handoff ${notice.state}${notice.handoff.agent ? ` by ${notice.handoff.agent.name}` : ''}`;
    case 'HandoffOutcomeNotice': {
      const { state, reason, failureCode, agent, resumeTarget } = notice.outcome;
      return [
        `outcome ${state}`,
        reason ?? failureCode,
        agent ? `by ${agent.name}` : 'by nobody',
        resumeTarget === null ? '' : `go on at ${resumeTarget}`,
      ]
        .filter(part => part !== '')
        .join(', ');
    }
    // The demo has none of these; the line only shows that one arrived.
    default:
      return notice.__typename;
  }
}

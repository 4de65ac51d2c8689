/*
 * A complete bot runtime: it exchanges messages with an end-user, runs a bot, requests a handoff, passes on the agent's
 * messages, and continues as the bot. Read it from top to bottom; docs/runtime.md explains the same in prose.
 *
 *   npm start                          in one terminal: the service, with a desk where you can be the agent
 *   npm run example                    in another: this program; reply to its end-user at the desk, then resolve
 *   npm run example -- --auto-agent    the same, with a small program at the desk instead of you
 *
 * Further flags: --url http://localhost:4000/graphql, --chatbot chatbot-orders, --bot-key <key of SUPPORT_BOT_KEYS>.
 *
 * The end-user's side is this terminal. Yours is a web socket, WhatsApp, a phone line: replace `show` with it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AutoAgent } from './auto-agent';
import {
  AcknowledgeDocument,
  CloseSessionDocument,
  OpenSessionDocument,
  RecordEndUserMessageDocument,
  RequestHandoffDocument,
  RuntimeDeliveriesDocument,
  SendBotMessageDocument,
  type RuntimeDeliveriesSubscription,
} from './generated/client';
import { done, RefusedError, SupportClient } from './support-client';

type Delivery = RuntimeDeliveriesSubscription['supportRuntimeDeliveries'];
type Outcome = Extract<Delivery['notice'], { __typename: 'HandoffOutcomeNotice' }>['outcome'];

/** The bot's reply to a message. Your bot is more capable; the point is that it may decide to request a human agent. */
type BotReply = { readonly say: string } | { readonly handOff: string; readonly say: string };

function think(text: string): BotReply {
  if (/\b(person|human|agent|colleague)\b/i.test(text))
    return { handOff: 'The end-user asked for a person', say: 'I will get somebody.' };
  if (/order/i.test(text)) return { say: 'Order A-17 left our warehouse this morning.' };
  if (/thank/i.test(text)) return { say: 'You are welcome. Is there anything else?' };
  return { say: 'Hello! I know about orders; ask for a person whenever you like.' };
}

/** One end-user's session. A runtime has thousands of these and stores very little of each. */
class BotSession {
  /** Number of the end-user's message: a stand-in for the id that your channel gives each message. */
  private messageNumber = 0;

  private constructor(
    private readonly client: SupportClient,
    private readonly externalId: string,
    private readonly sessionId: string,
    private readonly show: (who: string, text: string) => void,
  ) {}

  /** Call this at the first message and after every restart: the same key finds the same session. */
  static async open(
    client: SupportClient,
    chatbotId: string,
    externalId: string,
    name: string,
    show: (who: string, text: string) => void,
  ): Promise<BotSession> {
    const { session, created } = done(
      (
        await client.call(OpenSessionDocument, {
          // DECIDE what your key is. It must be permanent: a chat id, a phone number with a date, a cookie. All calls about
          // the same session use it, and an end-user who returns with it finds the session as it was.
          input: { chatbotId, channel: 'example', externalId, endUser: { name, locale: 'en' } },
        })
      ).openSupportSession,
    );
    show('session', `${created ? 'opened' : 'found'}; control is ${session!.control}, epoch ${session!.epoch}`);
    return new BotSession(client, externalId, session!.id, show);
  }

  get id(): string {
    return this.sessionId;
  }

  /**
   * Records a message of the end-user. Always call it, also while agents have control: this is how agents read the
   * message.
   */
  async userSays(text: string): Promise<void> {
    this.show('end-user', text);
    // DECIDE your idempotency keys: derive them from the call, never from the time or random numbers. If this process
    // dies here and restarts, the same message gets the same key, and the service returns its earlier result.
    const key = `${this.externalId}:${++this.messageNumber}`;
    const recorded = done(
      (
        await this.client.call(RecordEndUserMessageDocument, {
          input: { sessionId: this.sessionId, text, idempotencyKey: key },
        })
      ).recordEndUserMessage,
    );

    // The one check before the bot prepares a reply: may it reply at all?
    if (!recorded.mayReply) return this.show('bot', `(silent: control is ${recorded.session!.control})`);

    // Send the bot's reply to this message with the epoch of this result. An agent may take over meanwhile; then the
    // epoch is outdated, and the bot's reply reaches nobody.
    const epoch = recorded.session!.epoch;
    const thought = think(text);
    await this.botSays(thought.say, epoch, `${key}:reply`);
    if ('handOff' in thought) await this.askForPerson(thought.handOff, `${key}:handoff`);
  }

  /**
   * Sends a bot message first and shows it afterwards, so that the end-user never sees a message that the service
   * refused.
   */
  async botSays(text: string, epoch: number, key: string): Promise<void> {
    const payload = (
      await this.client.call(SendBotMessageDocument, {
        // DECIDE what happens to a late reply. REJECT: it is dropped. SUGGEST: agents see it as a private note.
        input: { sessionId: this.sessionId, epoch, text, idempotencyKey: key, onControlLost: 'REJECT' },
      })
    ).sendBotMessage;
    const [lost] = payload.userErrors.filter(({ code }) => code === 'CONTROL_LOST');
    // An agent has control of this message now. Drop the reply: sending it again with the new epoch would defeat the
    // epoch's purpose. The next message, or the outcome, brings the new epoch.
    if (lost) return this.show('bot', `(held back: control is ${lost.control}, epoch ${lost.epoch})`);
    if (done(payload).delivered) this.show('bot', text);
  }

  /**
   * Requests a handoff. Returns at once: the request is recorded, but no agent has accepted it yet. The runtime inbox
   * delivers all further states.
   */
  async askForPerson(reason: string, key: string): Promise<void> {
    const { handoff, alreadyLive } = done(
      (
        await this.client.call(RequestHandoffDocument, {
          input: {
            sessionId: this.sessionId,
            idempotencyKey: key,
            reason,
            // Facts that save the agent the first questions. The history need not be sent; the service has it.
            summary: 'Asked about order A-17.',
            fields: { order: 'A-17' },
            // DECIDE where your flow continues afterwards. The outcome returns this value unchanged.
            resumeTarget: 'after-help',
            // DECIDE whether to give an `epoch`. Omitted here: the end-user asked, which counts whatever the bot knows. A
            // bot that hands off by its own decision gives the epoch of that decision.
          },
        })
      ).requestHandoff,
    );
    this.show('handoff', `${handoff!.state}${alreadyLive ? ' (was live already)' : ''}`);
  }

  async close(): Promise<void> {
    done(
      (
        await this.client.call(CloseSessionDocument, {
          input: { sessionId: this.sessionId, idempotencyKey: `${this.externalId}:close` },
        })
      ).closeSupportSession,
    );
    this.show('session', 'closed');
  }
}

/**
 * The runtime inbox: agents' messages, the service's own lines to the end-user, and handoff states. One loop serves all
 * sessions of a chatbot.
 */
class Inbox {
  /**
   * Ids of processed deliveries. Deliveries arrive at least once: an unacknowledged one arrives again after a crash of
   * yours or of the service.
   * DECIDE where to store these. Here it is the process's memory; a real runtime stores the id with its own outgoing
   * message, in the same transaction, and keeps it for some days. The id of an agent's message (`notice.message.id`)
   * serves as well.
   */
  private readonly seen = new Set<string>();

  constructor(
    private readonly client: SupportClient,
    private readonly chatbotId: string,
    private readonly onDelivery: (delivery: Delivery) => Promise<'done' | 'not mine'>,
  ) {}

  /**
   * Collects deliveries. A subscription starts with all pending deliveries and continues with new ones; after a lost
   * connection it starts over. Without a web socket, call the query `RuntimeInbox` every second or so and process its
   * nodes likewise.
   */
  async collect(): Promise<void> {
    for await (const { supportRuntimeDeliveries: delivery } of this.client.subscribe(RuntimeDeliveriesDocument, {
      chatbotId: this.chatbotId,
    })) {
      // In order within a session, so one after the other. Sessions are independent: with many, keep one chain per
      // session.
      if (!this.seen.has(delivery.id) && (await this.onDelivery(delivery)) === 'not mine') continue;
      this.seen.add(delivery.id);
      // Acknowledge only once the channel has it. The end of a handoff waits for the acknowledgement of the agent's
      // last messages, so that the bot never speaks before the goodbye; so also acknowledge what you could not deliver.
      done(
        (await this.client.call(AcknowledgeDocument, { input: { ids: [delivery.id] } })).acknowledgeRuntimeDeliveries,
      );
    }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'http://localhost:4000/graphql' },
      chatbot: { type: 'string', default: 'chatbot-orders' },
      'bot-key': { type: 'string', default: process.env.SUPPORT_BOT_KEY ?? '' },
      'auto-agent': { type: 'boolean', default: false },
    },
  });
  const key = values['bot-key'];
  const headers: Record<string, string> = key === '' ? {} : { authorization: `Bearer ${key}` };
  await fetch(new URL('/livez', values.url)).catch(() => {
    throw new Error(
      `No service responds at ${values.url}; start it with npm start, or give another address with --url.`,
    );
  });
  const client = new SupportClient({ url: values.url, headers });
  const show = (who: string, text: string): void =>
    console.log(`${new Date().toISOString().slice(11, 23)}  ${who.padEnd(9)} ${text}`);

  const endUser = `Ada ${randomUUID().slice(0, 4)}`;
  let outcome: Outcome | null = null;
  let thanked = false;
  const talk = await BotSession.open(client, values.chatbot, `example-${randomUUID()}`, endUser, show);

  const inbox = new Inbox(client, values.chatbot, async ({ session, notice }) => {
    // A real runtime finds the session by `session.externalId`. Here other programs use the same chatbot (such as the
    // page of `npm start`); their deliveries are left to them.
    if (session.id !== talk.id) return 'not mine';
    switch (notice.__typename) {
      case 'SupportMessageNotice':
        // AGENT: a person. SYSTEM: a line of the chatbot's policy, such as "a colleague will be with you shortly".
        show(
          notice.message.author === 'AGENT' ? (notice.message.authorName ?? 'agent') : 'service',
          notice.message.text,
        );
        if (notice.message.author === 'AGENT' && !thanked) {
          thanked = true;
          await talk.userSays('Thank you, that is what I wanted to know.');
        }
        return 'done';
      case 'HandoffStateNotice':
        show('handoff', `${notice.state}${notice.handoff.agent ? `, ${notice.handoff.agent.name}` : ''}`);
        return 'done';
      case 'SupportMessageDeletedNotice':
        show('service', `the agent deleted message ${notice.message.id}`);
        return 'done';
      case 'SupportFileNotDeliveredNotice':
        show('service', `the file ${notice.name ?? ''} did not reach the agents (${notice.code})`);
        return 'done';
      case 'SupportMessageUndeliveredNotice':
        // A real runtime tells the end-user who waits for an agent, and does not send the message again: an operator
        // can resend it.
        show(
          'service',
          `message ${notice.message.id} did not reach the agents (${notice.code}, ${notice.deliveryOutcome})`,
        );
        return 'done';
      case 'SupportMessageDeliveredNotice':
        show('service', `message ${notice.message.id} reached the agents after all`);
        return 'done';
      case 'HandoffSurveyNotice':
        // A real runtime shows the choices, and calls answerSurvey with the end-user's choice.
        show(
          'service',
          `${notice.handoff.survey?.question} ${notice.handoff.survey?.choices.map(({ label }) => label).join(' ')}`,
        );
        return 'done';
      case 'HandoffOutcomeNotice':
        outcome = notice.outcome;
        show(
          'handoff',
          `${notice.outcome.state}: ${notice.outcome.reason ?? notice.outcome.failureCode}; continue at ${notice.outcome.resumeTarget}`,
        );
        return 'done';
    }
  });
  const tell = async (): Promise<void> => {
    await talk.userSays('Hello');
    await talk.userSays('Where is my order?');
    await talk.userSays('I would like to talk to a person, please');

    const agent = values['auto-agent'] ? new AutoAgent(new URL(values.url).origin, headers, endUser) : null;
    if (agent) await agent.work();
    else show('hint', `open ${new URL(values.url).origin}, take the conversation of ${endUser}, reply, and resolve it`);

    // Only waits: the inbox loop does the work. Control returns with the outcome.
    while (outcome === null) await setTimeout(100);
    await talk.userSays('Thanks, bot. One more thing about my order');
    await talk.close();
  };
  // If the inbox cannot be read, the program ends instead of waiting forever.
  await Promise.race([tell(), inbox.collect()]);
  await client.close();
}

main().catch((error: unknown) => {
  console.error(error instanceof RefusedError || error instanceof Error ? error.message : error);
  process.exit(1);
});

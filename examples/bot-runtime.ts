/*
 * A bot runtime, whole: it talks to an end-user, runs a bot, asks for a person, passes on what the person says, and goes on
 * as the bot. Read it from top to bottom; docs/runtime.md says the same in prose.
 *
 *   npm start                          in one terminal: the service, with a desk where you can be the agent
 *   npm run example                    in another: this program; answer its end-user at the desk, then resolve
 *   npm run example -- --auto-agent    the same, with a small program at the desk instead of you
 *
 * Further flags: --url http://localhost:4000/graphql, --chatbot chatbot-orders, --bot-key <key of SUPPORT_BOT_KEYS>.
 *
 * The end-user's side is this terminal. Yours would be a web socket, WhatsApp, a phone line: whatever `show` stands for.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AutoAgent } from './auto-agent';
import {
  AcknowledgeDocument, CloseSessionDocument, OpenSessionDocument, RecordEndUserMessageDocument, RequestHandoffDocument,
  RuntimeDeliveriesDocument, SendBotMessageDocument, type RuntimeDeliveriesSubscription,
} from './generated/client';
import { done, RefusedError, SupportClient } from './support-client';

type Delivery = RuntimeDeliveriesSubscription['supportRuntimeDeliveries'];
type Outcome = Extract<Delivery['notice'], { __typename: 'HandoffOutcomeNotice' }>['outcome'];

/** What the bot makes of a turn. Yours is cleverer; what matters is that it may decide to ask for a person. */
type Thought = { readonly say: string } | { readonly handOff: string; readonly say: string };

function think(text: string): Thought {
  if (/\b(person|human|agent|colleague)\b/i.test(text)) return { handOff: 'The end-user asked for a person', say: 'I will get somebody.' };
  if (/order/i.test(text)) return { say: 'Order A-17 left our warehouse this morning.' };
  if (/thank/i.test(text)) return { say: 'You are welcome. Is there anything else?' };
  return { say: 'Hello! I know about orders; ask for a person whenever you like.' };
}

/** One end-user's talk. A runtime has thousands of these and needs to remember hardly anything of each. */
class Talk {
  /** Number of the end-user's turn: a stand-in for the id that your channel gives to each message. */
  private turn = 0;

  private constructor(
    private readonly client: SupportClient,
    private readonly externalId: string,
    private readonly sessionId: string,
    private readonly show: (who: string, text: string) => void,
  ) {}

  /** Call this at the first message, and after every restart of yours: the same key finds the same session. */
  static async open(client: SupportClient, chatbotId: string, externalId: string, name: string, show: (who: string, text: string) => void): Promise<Talk> {
    const { session, created } = done((await client.call(OpenSessionDocument, {
      // DECIDE what your key is. It must be yours for good: a chat id, a phone number and a date, a cookie. All calls about
      // the same talk use it, and whoever comes back under it finds the talk where it was.
      input: { chatbotId, channel: 'example', externalId, endUser: { name, locale: 'en' } },
    })).openSupportSession);
    show('session', `${created ? 'opened' : 'found'}; control is ${session!.control}, epoch ${session!.epoch}`);
    return new Talk(client, externalId, session!.id, show);
  }

  get id(): string { return this.sessionId; }

  /** The end-user said something. Always record it, also while people have control: that is how agents read it. */
  async userSays(text: string): Promise<void> {
    this.show('end-user', text);
    // DECIDE your idempotency keys: from what the call is, never from the moment or at random. If this process dies here and
    // runs again, the same turn gets the same key, and the service answers what it answered before.
    const key = `${this.externalId}:${++this.turn}`;
    const recorded = done((await this.client.call(RecordEndUserMessageDocument, { input: { sessionId: this.sessionId, text, idempotencyKey: key } })).recordEndUserMessage);

    // The one question before the bot thinks: may it answer at all?
    if (!recorded.mayReply) return this.show('bot', `(silent: control is ${recorded.session!.control})`);

    // The epoch of *this* answer goes with what the bot makes of *this* turn. While it thinks, an agent may step in; then the
    // epoch is an old one, and what the bot says reaches nobody.
    const epoch = recorded.session!.epoch;
    const thought = think(text);
    await this.botSays(thought.say, epoch, `${key}:reply`);
    if ('handOff' in thought) await this.askForPerson(thought.handOff, `${key}:handoff`);
  }

  /** Ask first, show afterwards: so the end-user never sees what the service has refused. */
  async botSays(text: string, epoch: number, key: string): Promise<void> {
    const payload = (await this.client.call(SendBotMessageDocument, {
      // DECIDE what a late answer is worth. REJECT: nothing. SUGGEST: agents see it as a private note.
      input: { sessionId: this.sessionId, epoch, text, idempotencyKey: key, onControlLost: 'REJECT' },
    })).sendBotMessage;
    const [lost] = payload.userErrors.filter(({ code }) => code === 'CONTROL_LOST');
    // Somebody else answers this turn now. Drop it: sending it again with the new epoch would be the very thing that the epoch
    // is there to prevent. The next turn, or the outcome, brings the new one.
    if (lost) return this.show('bot', `(held back: control is ${lost.control}, epoch ${lost.epoch})`);
    if (done(payload).delivered) this.show('bot', text);
  }

  /** Answers at once: "recorded", not "somebody is there". What becomes of it arrives in the runtime inbox. */
  async askForPerson(reason: string, key: string): Promise<void> {
    const { handoff, alreadyLive } = done((await this.client.call(RequestHandoffDocument, {
      input: {
        sessionId: this.sessionId, idempotencyKey: key, reason,
        // What spares the agent the first three questions. The history need not be sent: it is there.
        summary: 'Asked about order A-17.', fields: { order: 'A-17' },
        // DECIDE where your flow goes on afterwards; this comes back with the outcome as it is.
        resumeTarget: 'after-help',
        // DECIDE whether to give an `epoch`. Not here: the end-user asked, and that counts whatever the bot believes. A bot that
        // hands over by its own judgement gives the epoch it judged with.
      },
    })).requestHandoff);
    this.show('handoff', `${handoff!.state}${alreadyLive ? ' (was live already)' : ''}`);
  }

  async close(): Promise<void> {
    done((await this.client.call(CloseSessionDocument, { input: { sessionId: this.sessionId, idempotencyKey: `${this.externalId}:close` } })).closeSupportSession);
    this.show('session', 'closed');
  }
}

/**
 * The runtime inbox: what agents say, what the service itself says to the end-user, and how handoffs go. One loop for all talks of
 * a chatbot.
 */
class Inbox {
  /**
   * Deliveries come at least once: whatever is not acknowledged comes again, after a crash of yours or of the service.
   * DECIDE where this memory lives. Here it is the process's; a real runtime writes the id beside its own outgoing message, in
   * the same transaction, and keeps it for some days. The id of an agent's message (`notice.message.id`) serves as well.
   */
  private readonly seen = new Set<string>();

  constructor(private readonly client: SupportClient, private readonly chatbotId: string, private readonly onDelivery: (delivery: Delivery) => Promise<'done' | 'not mine'>) {}

  /**
   * A subscription starts with everything that waits and goes on with what is new; after a broken connection it starts over.
   * Without a web socket: call the query `RuntimeInbox` every second or so and do the same with its nodes.
   */
  async collect(): Promise<void> {
    for await (const { supportRuntimeDeliveries: delivery } of this.client.subscribe(RuntimeDeliveriesDocument, { chatbotId: this.chatbotId })) {
      // In order within a session, so one after the other. Sessions are independent: with many, keep one chain for each.
      if (!this.seen.has(delivery.id) && await this.onDelivery(delivery) === 'not mine') continue;
      this.seen.add(delivery.id);
      // Only now, when the channel has it. An agent's last words hold the end of the handoff back until this call, so that the
      // bot never speaks before the goodbye; so acknowledge also what you could not deliver.
      done((await this.client.call(AcknowledgeDocument, { input: { ids: [delivery.id] } })).acknowledgeRuntimeDeliveries);
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
  await fetch(new URL('/livez', values.url)).catch(() => { throw new Error(`Nothing answers at ${values.url}; start the service with npm start, or name another with --url.`); });
  const client = new SupportClient({ url: values.url, headers });
  const show = (who: string, text: string): void => console.log(`${new Date().toISOString().slice(11, 23)}  ${who.padEnd(9)} ${text}`);

  const endUser = `Ada ${randomUUID().slice(0, 4)}`;
  let outcome: Outcome | null = null;
  let thanked = false;
  const talk = await Talk.open(client, values.chatbot, `example-${randomUUID()}`, endUser, show);

  const inbox = new Inbox(client, values.chatbot, async ({ session, notice }) => {
    // A real runtime finds the talk by `session.externalId`. Here other programs play the same chatbot (the page of `npm start`
    // does): what is theirs stays for them.
    if (session.id !== talk.id) return 'not mine';
    switch (notice.__typename) {
      case 'SupportMessageNotice':
        // AGENT: a person. SYSTEM: a line of the chatbot's policy, such as "a colleague will be with you shortly".
        show(notice.message.author === 'AGENT' ? notice.message.authorName ?? 'agent' : 'service', notice.message.text);
        if (notice.message.author === 'AGENT' && !thanked) {
          thanked = true;
          await talk.userSays('Thank you, that is what I wanted to know.');
        }
        return 'done';
      case 'HandoffStateNotice':
        show('handoff', `${notice.state}${notice.handoff.agent ? `, ${notice.handoff.agent.name}` : ''}`);
        return 'done';
      case 'SupportMessageDeletedNotice':
        show('service', `the agent took message ${notice.message.id} back`);
        return 'done';
      case 'SupportFileNotDeliveredNotice':
        show('service', `the file ${notice.name ?? ''} did not reach the agents (${notice.code})`);
        return 'done';
      case 'SupportMessageUndeliveredNotice':
        // A real runtime says so where the end-user waits for people, and repeats nothing: an operator can send it again.
        show('service', `message ${notice.message.id} did not reach the agents (${notice.code}, ${notice.deliveryOutcome})`);
        return 'done';
      case 'SupportMessageDeliveredNotice':
        show('service', `message ${notice.message.id} reached the agents after all`);
        return 'done';
      case 'HandoffSurveyNotice':
        // A real runtime shows the choices, and calls answerSurvey with the one that the end-user picks.
        show('service', `${notice.handoff.survey?.question} ${notice.handoff.survey?.choices.map(({ label }) => label).join(' ')}`);
        return 'done';
      case 'HandoffOutcomeNotice':
        outcome = notice.outcome;
        show('handoff', `${notice.outcome.state}: ${notice.outcome.reason ?? notice.outcome.failureCode}; go on at ${notice.outcome.resumeTarget}`);
        return 'done';
    }
  });
  const tell = async (): Promise<void> => {
    await talk.userSays('Hello');
    await talk.userSays('Where is my order?');
    await talk.userSays('I would like to talk to a person, please');

    const agent = values['auto-agent'] ? new AutoAgent(new URL(values.url).origin, headers, endUser) : null;
    if (agent) await agent.work();
    else show('hint', `open ${new URL(values.url).origin}, take the conversation of ${endUser}, answer, and resolve it`);

    // Nothing to do but to wait: the inbox loop above does the work. Control comes back with the outcome.
    while (outcome === null) await setTimeout(100);
    await talk.userSays('Thanks, bot. One more thing about my order');
    await talk.close();
  };
  // An inbox that cannot be read ends the program instead of leaving it waiting.
  await Promise.race([tell(), inbox.collect()]);
  await client.close();
}

main().catch((error: unknown) => {
  console.error(error instanceof RefusedError || error instanceof Error ? error.message : error);
  process.exit(1);
});

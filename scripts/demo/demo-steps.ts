import { randomUUID } from 'node:crypto';
import { done, type SupportClient } from '../../examples/support-client';
import { Runtime, type LiveStatus } from './runtime';
import { EnableChatbot, EnableSupport, RefreshDirectory } from './operations';
import type { AgentScreen, DemoAdapter, DemoStaff } from './demo-adapter';
import { pollUntilEqual, type Step } from './step';

const INBOX = 'Order helper';
const QUEUED_LINE = 'A colleague will be with you shortly.';
const HISTORY = [
  'end-user: Hello, where is my order?',
  'bot: Order A-17 left our warehouse this morning.',
  'end-user: I want to talk to a person.',
];
const NOTE =
  'note: Handed over by the bot.\nReason: The end-user asked for a person\nIntent: orders.where\nSummary: Asked about order A-17.\norder: A-17';
const WITH_AGENTS = [
  ...HISTORY,
  NOTE,
  'note: Is this the lost parcel?',
  'agent: Hello, I am Adam. Your parcel comes tomorrow.',
];
const TO_THE_END = [
  ...WITH_AGENTS,
  'end-user: In the morning?',
  'note: It usually comes before noon.',
  'agent: Before noon. Goodbye!',
];

/** The state of one run of the demo. */
export class DemoContext {
  readonly chatbotId = `orders-${randomUUID()}`;
  readonly endUser = `Ada ${randomUUID().slice(0, 8)}`;
  readonly runtime: Runtime;
  accountId = '';
  staffed: DemoStaff;
  teamId = '';
  handoffId = '';
  manualSteps: readonly string[] = [];
  status: LiveStatus;

  /**
   * @param operator may set up support @param bot has a bot key @param policy of the chatbot, if it differs from the
   * default
   */
  constructor(
    readonly stage: DemoAdapter,
    readonly operator: SupportClient,
    bot: SupportClient,
    readonly policy: object = {},
  ) {
    this.runtime = new Runtime(bot, this.chatbotId, `demo-${randomUUID()}`);
  }

  get adam() {
    return this.staffed.agent;
  }

  /** Returns the end-user's newest conversation as Adam sees it, once it is as expected. */
  screen(expected: AgentScreen): Promise<AgentScreen | undefined> {
    return pollUntilEqual(async () => (await this.adam.readConversations(this.endUser))[0], expected);
  }
}

const step = (
  title: string,
  act: (story: DemoContext) => Promise<unknown>,
  expected: object | ((story: DemoContext) => object),
): Step<DemoContext> => ({
  title,
  act,
  expected: story => (typeof expected === 'function' ? (expected as (story: DemoContext) => object)(story) : expected),
});

/** Builds a step: after a cause at the provider, the runtime collects exactly these lines, in this order. */
const collected = (
  title: string,
  cause: (story: DemoContext) => Promise<unknown>,
  lines: readonly string[],
  control: string,
): Step<DemoContext> =>
  step(
    title,
    async story => {
      const { runtime } = story;
      await cause(story);
      const inbox = await pollUntilEqual(() => runtime.inbox(), lines);
      await runtime.acknowledge();
      const { session } = await runtime.explain();
      return { inbox, control: `${session.control} ${session.epoch}` };
    },
    { inbox: lines, control },
  );

const shown = (title: string, screen: (story: DemoContext) => AgentScreen): Step<DemoContext> =>
  step(title, story => story.screen(screen(story)), screen);

/** An operator's steps before the first session. */
export const SETUP_STEPS: readonly Step<DemoContext>[] = [
  step(
    'Support is enabled for the organization',
    async story => {
      const { account, manualSteps } = done(
        (
          await story.operator.call(EnableSupport, {
            input: { name: 'Demo organization', ...story.stage.enableSettings },
          })
        ).enableSupport,
      );
      story.accountId = account!.id;
      story.manualSteps = story.stage.allowsManualSteps ? manualSteps : [];
      return {
        state: account!.state,
        problem: account!.problem,
        manualSteps,
        administrators: account!.state === 'READY' ? await story.stage.administrators() : [],
      };
    },
    ({ stage: adapter, manualSteps }) => ({
      state: 'READY',
      problem: null,
      manualSteps,
      administrators: adapter.expectedAdministrators,
    }),
  ),

  step(
    'and for a chatbot',
    async story => {
      const { inbox } = done(
        (
          await story.operator.call(EnableChatbot, {
            input: { chatbotId: story.chatbotId, name: INBOX, policy: story.policy },
          })
        ).enableChatbotSupport,
      );
      return { name: inbox!.name, state: inbox!.state, problem: inbox!.problem };
    },
    { name: INBOX, state: 'READY', problem: null },
  ),

  step(
    'Agents are at work at the provider; the directory is read again',
    async story => {
      story.staffed = await story.stage.addStaff(INBOX);
      const { teams, agents } = done(
        (await story.operator.call(RefreshDirectory, { input: { accountId: story.accountId } }))
          .refreshSupportDirectory,
      );
      story.teamId = teams.find(({ name }) => name === story.staffed.team)?.id ?? '';
      return { teams: teams.map(({ name }) => name), agents: agents.map(({ name }) => name).sort() };
    },
    ({ staffed }) => ({ teams: [staffed.team], agents: ['Adam Agent', 'Olga Owner'] }),
  ),
];

/**
 * From bot to agent and back, twice, as a bot runtime, an agent and an operator see it. The same for every provider;
 * the adapter contains the differences.
 */
export const DEMO_STEPS: readonly Step<DemoContext>[] = [
  ...SETUP_STEPS,

  step(
    'The runtime opens a session',
    async story => {
      const opened = await story.runtime.open({ name: story.endUser });
      story.status = await story.runtime.follow();
      return opened;
    },
    { created: true, control: 'BOT', epoch: 1, mayReply: true },
  ),

  step(
    'End-user and bot exchange messages',
    async ({ runtime }) => ({
      endUser: await runtime.userSays('Hello, where is my order?'),
      bot: await runtime.botSays('Order A-17 left our warehouse this morning.'),
    }),
    { endUser: { mayReply: true, control: 'BOT' }, bot: { delivered: true } },
  ),

  shown('Agents can see it, and nobody is notified', () => ({
    inbox: INBOX,
    status: 'held by the bot',
    team: null,
    agent: null,
    lines: HISTORY.slice(0, 2),
  })),

  step(
    'The end-user asks for an agent',
    async story => {
      await story.runtime.userSays('I want to talk to a person.');
      const { handoff, session, alreadyLive } = await story.runtime.requestHandoff({
        idempotencyKey: `${story.chatbotId}:handoff`,
        ...request(story),
      });
      story.handoffId = handoff!.id;
      return {
        state: handoff!.state,
        alreadyLive,
        control: session!.control,
        epoch: session!.epoch,
        mayReply: session!.mayReply,
      };
    },
    { state: 'REQUESTED', alreadyLive: false, control: 'NONE', epoch: 2, mayReply: false },
  ),

  step(
    'Repeating the request changes nothing, with the same key or another',
    async story => {
      const same = await story.runtime.requestHandoff({
        idempotencyKey: `${story.chatbotId}:handoff`,
        ...request(story),
      });
      const other = await story.runtime.requestHandoff();
      return {
        same: {
          isTheSame: same.handoff!.id === story.handoffId,
          alreadyLive: same.alreadyLive,
          replayed: same.replayed,
        },
        other: {
          isTheSame: other.handoff!.id === story.handoffId,
          alreadyLive: other.alreadyLive,
          replayed: other.replayed,
        },
      };
    },
    {
      same: { isTheSame: true, alreadyLive: false, replayed: true },
      other: { isTheSame: true, alreadyLive: true, replayed: false },
    },
  ),

  step('A late bot message is refused', async ({ runtime }) => runtime.botSays('Did you know our app?', { epoch: 1 }), {
    refused: 'CONTROL_LOST',
    control: 'NONE',
    epoch: 2,
  }),

  collected(
    'The provider has accepted the handoff',
    async () => {},
    ['handoff QUEUED', `service: ${QUEUED_LINE}`],
    'NONE 2',
  ),

  step(
    'Why is the bot silent?',
    async ({ runtime }) => {
      const { reason, mayReply, pendingDeliveries } = await runtime.explain();
      return { reason, mayReply, pendingDeliveries };
    },
    { reason: 'WAITING_FOR_AGENT', mayReply: false, pendingDeliveries: { provider: 0, runtime: 0, parked: 0 } },
  ),

  shown("The handoff is with the team, with the history and the bot's context", ({ staffed }) => ({
    inbox: INBOX,
    status: 'open',
    team: staffed.team,
    agent: null,
    lines: [...HISTORY, NOTE],
  })),

  collected('Adam takes it', ({ adam, endUser }) => adam.take(endUser), ['handoff ASSIGNED by Adam Agent'], 'HUMAN 3'),

  collected(
    'Adam writes a note, which stays internal, and replies',
    async ({ adam, endUser }) => {
      await adam.note(endUser, 'Is this the lost parcel?');
      await adam.reply(endUser, 'Hello, I am Adam. Your parcel comes tomorrow.');
    },
    ['handoff ACTIVE by Adam Agent', 'Adam Agent: Hello, I am Adam. Your parcel comes tomorrow.'],
    'HUMAN 3',
  ),

  step(
    'The end-user replies to Adam, and the bot is refused',
    async ({ runtime }) => ({
      endUser: await runtime.userSays('In the morning?'),
      bot: await runtime.botSays('Our app shows the time.'),
      suggestion: await runtime.botSays('It usually comes before noon.', { onControlLost: 'SUGGEST' }),
    }),
    {
      endUser: { mayReply: false, control: 'HUMAN' },
      bot: { refused: 'CONTROL_LOST', control: 'HUMAN', epoch: 3 },
      suggestion: { delivered: false },
    },
  ),

  shown("Adam sees the reply, and the bot's suggestion as a note", ({ staffed }) => ({
    inbox: INBOX,
    status: 'open',
    team: staffed.team,
    agent: 'Adam Agent',
    lines: TO_THE_END.slice(0, -1),
  })),

  step(
    'Adam says goodbye and resolves; the bot waits until the goodbye is collected',
    async story => {
      await story.adam.reply(story.endUser, 'Before noon. Goodbye!');
      await story.adam.resolve(story.endUser);
      const expected = { handoff: 'ENDING', control: 'HUMAN 3', inbox: ['Adam Agent: Before noon. Goodbye!'] };
      return pollUntilEqual(async () => {
        const { handoff, session } = await story.runtime.explain();
        return {
          handoff: handoff?.state ?? 'none',
          control: `${session.control} ${session.epoch}`,
          inbox: await story.runtime.inbox(),
        };
      }, expected);
    },
    { handoff: 'ENDING', control: 'HUMAN 3', inbox: ['Adam Agent: Before noon. Goodbye!'] },
  ),

  collected(
    'The goodbye is acknowledged: the outcome arrives, and the bot has control',
    ({ runtime }) => runtime.acknowledge(),
    ['outcome ENDED, AGENT_RESOLVED, by Adam Agent, go on at after-help'],
    'BOT 4',
  ),

  step(
    'The bot continues',
    async ({ runtime }) => ({
      endUser: await runtime.userSays('Thank you both!'),
      bot: await runtime.botSays('You are welcome.'),
    }),
    { endUser: { mayReply: true, control: 'BOT' }, bot: { delivered: true } },
  ),

  step(
    'and nobody is notified of that',
    async story => {
      // The last agent may stay assigned; this step ignores that.
      const look = async (): Promise<object> => {
        const [screen] = await story.adam.readConversations(story.endUser);
        return { status: screen?.status, lines: screen?.lines };
      };
      return pollUntilEqual(look, AFTERWARDS);
    },
    () => AFTERWARDS,
  ),

  step(
    'The end-user asks for an agent once more, without a team',
    async story => {
      const { handoff, alreadyLive, session } = await story.runtime.requestHandoff();
      return {
        isNew: handoff!.id !== story.handoffId,
        state: handoff!.state,
        alreadyLive,
        control: `${session!.control} ${session!.epoch}`,
      };
    },
    { isNew: true, state: 'REQUESTED', alreadyLive: false, control: 'NONE 5' },
  ),

  collected(
    'It goes to the queue like the first',
    async () => {},
    ['handoff QUEUED', `service: ${QUEUED_LINE}`],
    'NONE 5',
  ),

  shown('without traces of the first: no team, nobody assigned, no second copy of the history', () => ({
    inbox: INBOX,
    status: 'open',
    team: null,
    agent: null,
    lines: AFTERWARDS.lines,
  })),

  collected(
    'Adam returns it to the bot, unresolved',
    ({ adam, endUser }) => adam.returnToBot(endUser),
    ['outcome ENDED, AGENT_RETURNED, by nobody'],
    'BOT 6',
  ),

  step(
    'The session is closed, and accepts nothing more',
    async ({ runtime }) => {
      await runtime.close();
      return { endUser: await runtime.userSays('Anybody there?') };
    },
    { endUser: { refused: ['SESSION_CLOSED'] } },
  ),

  step(
    'No delivery is pending',
    async ({ runtime }) =>
      pollUntilEqual(async () => {
        const { reason, pendingDeliveries } = await runtime.explain();
        return { reason, pendingDeliveries };
      }, CLOSED),
    () => CLOSED,
  ),

  step(
    'The live status had every change, once and in order',
    async ({ status, runtime }) => {
      const all = await pollUntilEqual(async () => [...status.changes], LIVE);
      const resumed = await runtime.follow(status.seqs.at(-3));
      const last = await pollUntilEqual(async () => [...resumed.changes], LIVE.slice(-2));
      return {
        all,
        isAscending: status.seqs.every((seq, i) => i === 0 || seq > status.seqs[i - 1]!),
        afterResume: last,
      };
    },
    () => ({ all: LIVE, isAscending: true, afterResume: LIVE.slice(-2) }),
  ),
];

const AFTERWARDS = {
  status: 'held by the bot',
  lines: [...TO_THE_END, 'end-user: Thank you both!', 'bot: You are welcome.'],
};
const CLOSED = { reason: 'SESSION_CLOSED', pendingDeliveries: { provider: 0, runtime: 0, parked: 0 } };
const LIVE = [
  'now: BOT 1',
  'NONE 2 REQUESTED',
  'NONE 2 QUEUED',
  'HUMAN 3 ASSIGNED',
  'HUMAN 3 ACTIVE',
  'HUMAN 3 ENDING',
  'BOT 4 ENDED',
  'NONE 5 REQUESTED',
  'NONE 5 QUEUED',
  'BOT 6 ENDED',
  'BOT 6 ENDED closed',
];

const request = ({ teamId }: DemoContext) => ({
  target: { team: teamId },
  reason: 'The end-user asked for a person',
  intent: 'orders.where',
  summary: 'Asked about order A-17.',
  fields: { order: 'A-17' },
  resumeTarget: 'after-help',
});

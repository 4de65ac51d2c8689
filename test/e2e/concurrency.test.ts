import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { parse } from 'graphql';
import { RecordEndUserMessageDocument, SendBotMessageDocument } from '../../examples/generated/client';
import { done, type SupportClient } from '../../examples/support-client';
import { ChatwootDemoAdapter } from '../../scripts/demo/chatwoot-adapter';
import { DeskDemoAdapter } from '../../scripts/demo/desk-adapter';
import { Runtime } from '../../scripts/demo/runtime';
import { pollUntilEqual } from '../../scripts/demo/step';
import { SETUP_STEPS, DemoContext } from '../../scripts/demo/demo-steps';
import { runSteps } from '../../scripts/demo/run-steps';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';
import { ReplicaSet } from '../support/replica-set';

const document = <Data, Variables>(text: string) => parse(text) as TypedDocumentNode<Data, Variables>;

interface Requested {
  readonly alreadyLive: boolean;
  readonly replayed: boolean;
  readonly handoff: { readonly id: string; readonly state: string };
  readonly session: { readonly control: string; readonly epoch: number };
}
const Request = document<
  { requestHandoff: Requested & { userErrors: [] } },
  { input: object }
>(`mutation Request($input: RequestHandoffInput!) {
  requestHandoff(input: $input) { alreadyLive replayed handoff { id state } session { control epoch } userErrors { code field message control epoch } }
}`);
const Handoffs = document<
  { handoffs: { nodes: readonly { id: string; isLive: boolean }[] } },
  { sessionId: string }
>(`query Handoffs($sessionId: ID!) {
  handoffs(filter: { sessionId: $sessionId }, first: 100) { nodes { id isLive } }
}`);
const SessionMessages = document<
  { supportSession: { messages: { nodes: readonly { author: string; text: string }[] } } },
  { id: string }
>(`query Talk($id: ID!) {
  supportSession(id: $id) { messages(first: 100) { nodes { author text } } }
}`);
const Events = document<
  { supportSessionEvents: { seq: number; event: { __typename: string } | null } },
  { sessionId: string; after: number | null }
>(`subscription Events($sessionId: ID!, $after: Int) {
  supportSessionEvents(sessionId: $sessionId, after: $after) { seq event { __typename } }
}`);

const ORGANIZATIONS = { desk: 'org-desk', 'chatwoot-double': 'org-chatwoot' } as const;
let database: TestDatabase;
let double: ChatwootDouble;
let fleet: ReplicaSet;

beforeAll(async () => {
  database = await createTestDatabase();
  double = await startChatwootDouble();
  fleet = new ReplicaSet(database.url, Object.values(ORGANIZATIONS));
  await Promise.all([fleet.add(), fleet.add(), fleet.add()]);
});

afterAll(async () => {
  await fleet?.stop();
  await double?.stop();
  await database?.drop();
});

describe.each(['desk', 'chatwoot-double'] as const)('three processes of the service on one Postgres: %s', provider => {
  const organization = ORGANIZATIONS[provider];
  let story: DemoContext;
  /** One bot runtime's client for each replica. */
  let bots: readonly SupportClient[];
  const botOf = (i: number): SupportClient => bots[i % bots.length]!;

  beforeAll(async () => {
    const [first] = fleet.replicas;
    bots = fleet.replicas.map(replica => fleet.bot(replica, organization));
    const adapter =
      provider === 'desk'
        ? new DeskDemoAdapter(first!.url, fleet.gateway(organization))
        : new ChatwootDemoAdapter(double.baseUrl, double.platformToken);
    // ON_HANDOFF: the handoff posts the whole history, so that two handoffs would post it twice.
    story = new DemoContext(adapter, fleet.operator(first!, organization), bots[0]!, { mirroring: 'ON_HANDOFF' });
    const said: string[] = [];
    const collect = {
      log: (text: string) => {
        said.push(text);
      },
      error: (text: string) => {
        said.push(text);
      },
    };
    if ((await runSteps(SETUP_STEPS, story, collect)) !== 0) throw new Error(said.join('\n'));
  });

  const idle = async (runtime: Runtime): Promise<void> => {
    expect(await pollUntilEqual(async () => (await runtime.explain()).pendingDeliveries.provider, 0)).toBe(0);
  };
  const newSession = async (endUser: string): Promise<Runtime> => {
    const runtime = new Runtime(botOf(0), story.chatbotId, `concurrency-${endUser}`);
    await runtime.open({ name: endUser });
    return runtime;
  };

  it('makes one handoff, one conversation and one copy of the history of 50 requests at once', async () => {
    const runtime = await newSession('Eve');
    for (const [question, answer] of [
      ['Hello?', 'Hello!'],
      ['Where is it?', 'On its way.'],
      ['A person, please.', 'One moment.'],
    ] as const) {
      await runtime.userSays(question);
      await runtime.botSays(answer);
    }
    const request = (i: number, idempotencyKey: string) =>
      botOf(i).call(Request, {
        input: {
          sessionId: runtime.session,
          idempotencyKey,
          reason: 'Asked for a person',
          target: { team: story.teamId },
        },
      });
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => ({
        isShared: i % 2 === 0,
        ...done((await request(i, i % 2 === 0 ? 'eve:one-key' : `eve:key-${i}`)).requestHandoff),
      })),
    );

    expect(new Set(answers.map(({ handoff }) => handoff.id)).size).toBe(1);
    const made = answers.filter(({ alreadyLive, replayed }) => !alreadyLive && !replayed);
    expect(made).toHaveLength(1);

    const shared = answers
      .filter(({ isShared }) => isShared)
      .map(({ alreadyLive, handoff, session }) => ({ alreadyLive, handoff, session }));
    expect(shared).toHaveLength(25);
    for (const answer of shared) expect(answer).toEqual(shared[0]);
    expect(answers.filter(({ isShared, replayed }) => isShared && !replayed)).toHaveLength(1);
    // Either the shared key or one of the others made it; all others found it live.
    expect(answers.filter(({ alreadyLive }) => alreadyLive)).toHaveLength(made[0]!.isShared ? 25 : 49);

    const { nodes } = (await botOf(1).call(Handoffs, { sessionId: runtime.session })).handoffs;
    expect(nodes).toEqual([{ id: made[0]!.handoff.id, isLive: true }]);
    await idle(runtime);
    expect(await story.adam.readConversations('Eve')).toEqual([
      {
        inbox: 'Order helper',
        status: 'open',
        team: story.staffed.team,
        agent: null,
        lines: [
          'end-user: Hello?',
          'bot: Hello!',
          'end-user: Where is it?',
          'bot: On its way.',
          'end-user: A person, please.',
          'bot: One moment.',
          'note: Handed over by the bot.\nReason: Asked for a person',
        ],
      },
    ]);
    expect(await runtime.inbox()).toEqual(['handoff QUEUED', 'service: A colleague will be with you shortly.']);
  });

  it('forwards a bot message or returns CONTROL_LOST, never both, while a handoff begins', async () => {
    const runtime = await newSession('Finn');
    await runtime.userSays('A person!');
    const epoch = runtime.epoch;
    const say = async (i: number) => {
      const text = `Bot line ${i}`;
      const { sendBotMessage: answer } = await botOf(i).call(SendBotMessageDocument, {
        input: { sessionId: runtime.session, epoch, text, idempotencyKey: `finn:${text}` },
      });
      return { text, delivered: answer.delivered, lost: answer.userErrors[0] ?? null };
    };
    const [requested, ...lines] = await Promise.all([
      botOf(1).call(Request, { input: { sessionId: runtime.session, idempotencyKey: 'finn:handoff' } }),
      ...Array.from({ length: 24 }, (_, i) => say(i)),
    ]);
    const late = await say(24);
    expect(requested.requestHandoff.session).toEqual({ control: 'NONE', epoch: epoch + 1 });
    expect(late).toMatchObject({ delivered: false, lost: { code: 'CONTROL_LOST', control: 'NONE', epoch: epoch + 1 } });
    for (const { delivered, lost } of lines)
      expect({ delivered, code: lost?.code ?? null }).toEqual({ delivered, code: delivered ? null : 'CONTROL_LOST' });

    const said = lines
      .filter(({ delivered }) => delivered)
      .map(({ text }) => text)
      .sort();
    await idle(runtime);
    const [screen, ...more] = await story.adam.readConversations('Finn');
    expect(more).toEqual([]);
    expect(
      screen!.lines
        .filter(line => line.startsWith('bot: '))
        .map(line => line.slice(5))
        .sort(),
    ).toEqual(said);
    expect(screen!.lines.filter(line => line.startsWith('note: '))).toEqual([]);
    const { messages } = (await botOf(2).call(SessionMessages, { id: runtime.session })).supportSession;
    expect(
      messages.nodes
        .filter(({ author }) => author === 'BOT')
        .map(({ text }) => text)
        .sort(),
    ).toEqual(said);
    expect(await runtime.inbox()).toEqual(['handoff QUEUED', 'service: A colleague will be with you shortly.']);
  });

  it('shows agents what one end-user writes through several replicas, once and in the order of its session', async () => {
    const runtime = await newSession('Gina');
    await runtime.userSays('A person, please.');
    await runtime.requestHandoff();
    // Each message twice, as after a lost response, and always through another replica than the last.
    await Promise.all(
      Array.from({ length: 15 }, async (_, i) => {
        const input = { sessionId: runtime.session, text: `Line ${i}`, idempotencyKey: `gina:${i}` };
        const answers = await Promise.all(
          [0, 1].map(more => botOf(i + more).call(RecordEndUserMessageDocument, { input })),
        );
        expect(new Set(answers.map(({ recordEndUserMessage }) => recordEndUserMessage.message!.id)).size).toBe(1);
      }),
    );
    await idle(runtime);
    const { messages } = (await botOf(1).call(SessionMessages, { id: runtime.session })).supportSession;
    const spoken = messages.nodes.filter(({ author }) => author === 'END_USER').map(({ text }) => `end-user: ${text}`);
    expect(spoken).toHaveLength(16);
    const [screen] = await story.adam.readConversations('Gina');
    expect(screen!.lines).toEqual(spoken);
  });

  it('resumes a subscription on another replica without a gap', async () => {
    const runtime = await newSession('Hal');
    const seqs: number[] = [];
    let next = 0;
    const speak = async (): Promise<void> => {
      const text = `Line ${next++}`;
      done(
        (
          await botOf(next).call(RecordEndUserMessageDocument, {
            input: { sessionId: runtime.session, text, idempotencyKey: `hal:${text}` },
          })
        ).recordEndUserMessage,
      );
    };
    let isOver = false;
    const speaking = (async () => {
      while (!isOver) await speak();
    })();
    for (let round = 0; round < 6; round++) {
      const items = botOf(round).subscribe(Events, { sessionId: runtime.session, after: seqs.at(-1) ?? 0 });
      for (let seen = 0; seen < 8; ) {
        const { supportSessionEvents: item } = (await items.next()).value!;
        if (item.event === null) continue;
        seqs.push(item.seq);
        seen++;
      }
      await items.return();
      // Changes without a subscriber must arrive at the next resumption.
      await Promise.all([speak(), speak(), speak()]);
    }
    isOver = true;
    await speaking;
    expect(seqs).toEqual(Array.from({ length: 48 }, (_, i) => i + 1));
  });
});

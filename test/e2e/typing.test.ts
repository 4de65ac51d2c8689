import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ChatwootDemoAdapter } from '../../scripts/demo/chatwoot-adapter';
import { startTestService, type TestService } from '../../scripts/demo/test-service';
import { SETUP_STEPS, DemoContext } from '../../scripts/demo/demo-steps';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { overWebSocket, type Following } from '../integration/graphql/following';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';

let database: TestDatabase;
let double: ChatwootDouble;
const houses: TestService[] = [];
let following: Following | undefined;
beforeAll(async () => {
  database = await createTestDatabase();
  double = await startChatwootDouble();
  const shared = { SUPPORT_SECRET_KEY: randomBytes(32).toString('hex') };
  for (let n = 0; n < 2; n++) houses.push(await startTestService(database.url, shared));
});
afterAll(async () => {
  await following?.leave();
  await Promise.all(houses.map(service => service.stop()));
  await double?.stop();
  await database?.drop();
});

it('typing at one end is seen at the other, whichever replica is asked', async () => {
  const [one, other] = [houses[0]!, houses[1]!];
  const story = new DemoContext(new ChatwootDemoAdapter(double.baseUrl, double.platformToken), one.operator, one.bot);
  for (const step of SETUP_STEPS) await step.act(story);
  const { runtime } = story;
  await runtime.open({ name: story.endUser });
  await runtime.userSays('Hello?');
  await runtime.requestHandoff();
  for (let state = ''; state !== 'QUEUED'; await setTimeout(50)) state = (await runtime.explain()).handoff?.state ?? '';
  await story.adam.take(story.endUser);
  for (let state = ''; state !== 'ASSIGNED'; await setTimeout(50))
    state = (await runtime.explain()).handoff?.state ?? '';

  // The end-user, reported to the replica that was not involved.
  const set = async (isTyping: boolean) =>
    (
      (await (
        await fetch(`${other.url}/graphql`, {
          method: 'POST',
          headers: { ...other.gateway, 'content-type': 'application/json' },
          body: JSON.stringify({
            query: 'mutation ($input: SetSupportTypingInput!) { setSupportTyping(input: $input) { isForwarded } }',
            variables: { input: { sessionId: runtime.session, isTyping } },
          }),
        })
      ).json()) as { data: { setSupportTyping: { isForwarded: boolean } } }
    ).data.setSupportTyping.isForwarded;
  expect(await set(true)).toBe(true);
  const typing = () =>
    double
      .deliveries()
      .filter(({ event }) => event.startsWith('conversation_typing'))
      .map(({ event, body }) => `${event} ${JSON.parse(body).user.name}`);
  while (typing().length === 0) await setTimeout(50);
  expect(typing()).toEqual([`conversation_typing_on ${story.endUser}`]);

  // Adam, whose webhook goes to the first replica, to a subscriber at the other.
  following = overWebSocket(`${other.url}/graphql`, other.gateway)(
    'subscription ($sessionId: ID!) { supportTyping(sessionId: $sessionId) { isTyping agent { name } } }',
    { sessionId: runtime.session },
  );
  const { id: conversationId, meta } = JSON.parse(
    double
      .deliveries()
      .filter(({ event }) => event === 'conversation_updated')
      .at(-1)!.body,
  );
  const acting = double.agent(meta.assignee.id, { accountId: 1, conversationId });
  const seen = () =>
    following!.results.map(
      ({ data }) => `${data.supportTyping.agent.name} ${data.supportTyping.isTyping ? 'on' : 'off'}`,
    );
  // Nothing reports when a subscription has started to listen, so he types until it is seen.
  for (; seen().length === 0; await setTimeout(100)) await acting.type(true);
  for (; seen().at(-1) !== 'Adam Agent off'; await setTimeout(100)) await acting.type(false);
  expect(seen()).toEqual(['Adam Agent on', 'Adam Agent off']);
  expect((await runtime.explain()).handoff?.state).toBe('ASSIGNED');
});

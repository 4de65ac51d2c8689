import { randomUUID } from 'node:crypto';
import { MAX_TEXT_LENGTH } from '../../../src/core/message';
import { codeOf, createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';

let world: FlowWorld;
beforeAll(async () => {
  world = await createFlowWorld();
});
afterAll(() => world.close());

const untouched = async (sessionId: string, act: Promise<unknown>): Promise<string | undefined> => {
  const before = (await world.events(sessionId)).length;
  const code = await codeOf(act);
  expect(await world.events(sessionId)).toHaveLength(before);
  return code;
};

it('each invalid input gets its own code and leaves nothing half-done', async () => {
  const { id } = await world.open();
  const message = { sessionId: id, text: 'x', attachments: [], messageId: null };
  const { recordEndUserMessage } = world.flows;
  expect(await untouched(id, recordEndUserMessage(scope, { ...message, text: '', idempotencyKey: 'e1' }))).toBe(
    'TEXT_EMPTY',
  );
  expect(
    await untouched(
      id,
      recordEndUserMessage(scope, { ...message, text: 'x'.repeat(MAX_TEXT_LENGTH + 1), idempotencyKey: 'e2' }),
    ),
  ).toBe('TEXT_TOO_LONG');
  expect(await untouched(id, recordEndUserMessage(scope, { ...message, idempotencyKey: '' }))).toBe('INPUT_INVALID');
  expect(await untouched(id, recordEndUserMessage(scope, { ...message, idempotencyKey: 'k'.repeat(201) }))).toBe(
    'ID_TOO_LONG',
  );
  expect(
    await untouched(id, recordEndUserMessage(scope, { ...message, sessionId: randomUUID(), idempotencyKey: 'e3' })),
  ).toBe('SESSION_NOT_FOUND');
  expect(
    await untouched(id, recordEndUserMessage(scope, { ...message, sessionId: 'nonsense', idempotencyKey: 'e4' })),
  ).toBe('SESSION_NOT_FOUND');
  expect(
    await untouched(id, recordEndUserMessage({ organizationId: 'org-2' }, { ...message, idempotencyKey: 'e5' })),
  ).toBe('SESSION_NOT_FOUND');
  expect(await untouched(id, world.ask(id, { target: { team: 'nobody', agent: null } }))).toBe('TEAM_NOT_FOUND');
  expect(await untouched(id, world.ask(id, { target: { team: null, agent: 'nobody' } }))).toBe('AGENT_NOT_FOUND');
  expect(await untouched(id, world.ask(id, { target: { team: '47', agent: 'alice' } }))).toBe('TARGET_AMBIGUOUS');
  expect(await untouched(id, world.ask(id, { epoch: 7 }))).toBe('CONTROL_LOST');
  expect(await untouched(id, world.ask(id, { resumeTarget: 'x'.repeat(10_001) }))).toBe('TEXT_TOO_LONG');
  const link = { label: 'The order', url: 'https://shop.example/47' };
  expect(await untouched(id, world.ask(id, { links: [{ ...link, url: 'javascript:alert(1)' }] }))).toBe(
    'INPUT_INVALID',
  );
  expect(
    await untouched(
      id,
      world.flows.endHandoff(scope, { handoffId: null, sessionId: id, reason: 'USER_ENDED', idempotencyKey: 'e6' }),
    ),
  ).toBe('NO_LIVE_HANDOFF');
  expect(
    await untouched(
      id,
      world.flows.endHandoff(scope, {
        handoffId: randomUUID(),
        sessionId: null,
        reason: 'USER_ENDED',
        idempotencyKey: 'e7',
      }),
    ),
  ).toBe('HANDOFF_NOT_FOUND');
  expect(
    await codeOf(world.flows.openSession(scope, { chatbotId: 'bot-9', channel: 'web', externalId: 'x', endUser: {} })),
  ).toBe('CHATBOT_NOT_ENABLED');
  expect(
    await codeOf(
      world.flows.openSession(
        { organizationId: 'org-2' },
        { chatbotId: 'bot-1', channel: 'web', externalId: 'x', endUser: {} },
      ),
    ),
  ).toBe('CHATBOT_NOT_ENABLED');
});

it('the longest text is stored whole, with every kind of character', async () => {
  const { id } = await world.open();
  const text = `${'😀{{x}}\n'.repeat(5_000)}end`;
  expect((await world.user(id, text)).message.text).toBe(text);
});

it('a closed session refuses everything, and closing twice is a no-op', async () => {
  const { id } = await world.open();
  await world.user(id, 'hi');
  const { handoff } = await world.ask(id);
  const close = (idempotencyKey: string) => world.flows.closeSession(scope, { sessionId: id, idempotencyKey });
  expect((await close('c1')).alreadyClosed).toBe(false);
  expect((await close('c2')).alreadyClosed).toBe(true);
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'SESSION_CLOSED' });
  expect(await untouched(id, world.user(id, 'hello?'))).toBe('SESSION_CLOSED');
  expect(await untouched(id, world.bot(id, 'hello'))).toBe('SESSION_CLOSED');
  expect(await untouched(id, world.ask(id))).toBe('SESSION_CLOSED');
});

it('one key gives one result, and is refused for another input', async () => {
  const { id } = await world.open();
  const input = { sessionId: id, text: 'once', attachments: [], messageId: null, idempotencyKey: 'same' };
  const first = await world.flows.recordEndUserMessage(scope, input);
  const again = await world.flows.recordEndUserMessage(scope, input);
  expect(again).toEqual({ ...first, replayed: true });
  expect(await codeOf(world.flows.recordEndUserMessage(scope, { ...input, text: 'twice' }))).toBe(
    'IDEMPOTENCY_KEY_REUSED',
  );
  expect((await world.stores.messages.page(ORG, id, { first: 10, after: null })).edges).toHaveLength(1);
});

it('a message is recorded once, also under another key', async () => {
  const { id } = await world.open();
  const input = { sessionId: id, text: 'once', attachments: [], messageId: 'turn-1' };
  const first = await world.flows.recordEndUserMessage(scope, { ...input, idempotencyKey: 'k1' });
  const again = await world.flows.recordEndUserMessage(scope, { ...input, idempotencyKey: 'k2' });
  expect(again.message).toEqual(first.message);
  expect((await world.stores.messages.page(ORG, id, { first: 10, after: null })).edges).toHaveLength(1);
});

it('25 calls with one key get the same result and 25 others alreadyLive: one handoff, whoever comes first', async () => {
  const { id } = await world.open();
  await world.user(id, 'hi');
  const same = Array.from({ length: 25 }, () => world.ask(id, { idempotencyKey: 'the-key' }));
  const others = Array.from({ length: 25 }, (_, i) => world.ask(id, { idempotencyKey: `other-${i}` }));
  const answers = await Promise.all([...same, ...others]);
  expect(new Set(answers.map(answer => answer.handoff.id)).size).toBe(1);
  const equal = answers.slice(0, 25).map(({ replayed: _, ...answer }) => answer);
  for (const answer of equal) expect(answer).toEqual(equal[0]);
  expect(answers.filter((answer, i) => !answer.alreadyLive && !(i < 25)).length + (equal[0]!.alreadyLive ? 0 : 1)).toBe(
    1,
  );
});

it('the reason why the bot is silent is reported', async () => {
  const { id } = await world.open();
  const why = async () => {
    const { reason, mayReply } = await world.flows.explain(scope, id);
    return [reason, mayReply];
  };
  expect(await why()).toEqual(['BOT_HAS_CONTROL', true]);
  await world.user(id, 'hi');
  await world.ask(id);
  expect(await why()).toEqual(['WAITING_FOR_AGENT', false]);
  expect((await world.flows.explain(scope, id)).pendingDeliveries.provider).toBe(2);
  await world.flows.closeSession(scope, { sessionId: id, idempotencyKey: 'close-explain' });
  expect(await why()).toEqual(['SESSION_CLOSED', false]);
  expect(await codeOf(world.flows.explain({ organizationId: 'org-2' }, id))).toBe('SESSION_NOT_FOUND');
});

it("only the caller's own organization's deliveries are acknowledged", async () => {
  const { id } = await world.open();
  await world.user(id, 'hi');
  await world.ask(id);
  await world.deliverAll();
  const ids = (await world.inbox(id)).map(delivery => delivery.id);
  expect(ids.length).toBeGreaterThan(0);
  expect(await world.flows.acknowledge({ organizationId: 'org-2' }, ids)).toEqual({ acknowledged: [], unknown: ids });
  expect((await world.flows.acknowledge(scope, [...ids, 'nonsense'])).unknown).toEqual(['nonsense']);
  expect(await world.inbox(id)).toEqual([]);
});

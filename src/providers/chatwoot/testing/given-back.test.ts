import { createChatwootWorld, type ChatwootWorld } from './chatwoot-world';

/*
 * Agents' actions besides resolving: assigning a conversation to our bot, returning it with its team or priority,
 * opening it again.
 */

let world: ChatwootWorld;
let alice: number;
afterEach(() => world.close());
beforeEach(async () => {
  world = await createChatwootWorld();
  alice = await world.addPerson('Alice');
});

async function inAlicesHands(
  more: Parameters<ChatwootWorld['handedOver']>[0] = {},
): Promise<{ sessionId: string; handoffId: string }> {
  const sessionId = await world.handedOver(more);
  const { id: handoffId } = (await world.liveHandoff(sessionId))!;
  await world.act(sessionId, 'POST', '/assignments', { assignee_id: alice });
  await world.runDueSyncs();
  expect(await world.handoff(handoffId)).toMatchObject({ state: 'ASSIGNED' });
  await world.acknowledgeAll(sessionId);
  return { sessionId, handoffId };
}

it('assigning the conversation to our agent bot returns it: the bot has control, and the conversation waits for no agent', async () => {
  const { sessionId, handoffId } = await inAlicesHands();
  await world.act(sessionId, 'POST', '/assignments', {
    assignee_id: world.account.settings['agentBotId'],
    assignee_type: 'AgentBot',
  });
  await world.runDueSyncs();
  await world.acknowledgeAll(sessionId);
  expect(await world.handoff(handoffId)).toMatchObject({ state: 'ENDED', endReason: 'AGENT_RETURNED' });
  expect(await world.applyAllVerdicts()).toEqual([]);
  expect(await world.conversation(sessionId)).toMatchObject({ status: 'pending' });
  expect((await world.conversation(sessionId)).meta.assignee ?? null).toBeNull();
  await world.runDueSyncs();
  expect(await world.session(sessionId)).toMatchObject({ control: 'BOT', liveHandoffId: null });
});

it('the priority of a returned handoff does not stay for the next', async () => {
  const sessionId = await world.handedOver({ priority: 'URGENT' });
  expect(await world.conversation(sessionId)).toMatchObject({ priority: 'urgent' });
  await world.act(sessionId, 'POST', '/toggle_status', { status: 'pending' });
  await world.runDueSyncs();
  await world.acknowledgeAll(sessionId);
  expect(await world.applyAllVerdicts()).toEqual([]);
  await world.runDueSyncs();
  await world.ask(sessionId);
  expect(await world.applyAllVerdicts()).toEqual([]);
  expect(await world.conversation(sessionId)).toMatchObject({ status: 'open', priority: null });
});

it("a former agent takes the conversation over by opening it again; an end-user's message opens it for no agent", async () => {
  const { sessionId } = await inAlicesHands();
  await world.act(sessionId, 'POST', '/toggle_status', { status: 'resolved' });
  await world.runDueSyncs();
  await world.acknowledgeAll(sessionId);
  expect(await world.session(sessionId)).toMatchObject({ control: 'BOT', liveHandoffId: null });
  await world.user(sessionId, 'Thanks.');
  expect(await world.applyAllVerdicts()).toEqual([]);
  await world.runDueSyncs();
  expect(await world.session(sessionId)).toMatchObject({ control: 'BOT', liveHandoffId: null });

  await world.act(sessionId, 'POST', '/toggle_status', { status: 'open' });
  await world.runDueSyncs();
  expect(await world.session(sessionId)).toMatchObject({ control: 'HUMAN' });
  expect(await world.liveHandoff(sessionId)).toMatchObject({
    origin: 'AGENT_TAKEOVER',
    state: 'ASSIGNED',
    agent: { name: 'Alice' },
  });
});

it('after a merge the session belongs to the other contact: a lost conversation is recreated with that one', async () => {
  const sessionId = await world.handedOver();
  const { contactId, conversationId } = await world.session(sessionId);
  const { payload } = await world.farSide.call<{ payload: { contact: { id: number } } }>(
    'POST',
    `${world.accountPath}/contacts`,
    world.admin,
    { name: 'Jane', email: 'jane@visitor.example', identifier: 'crm-7' },
  );
  await world.farSide.call('POST', `${world.accountPath}/actions/contact_merge`, world.admin, {
    base_contact_id: payload.contact.id,
    mergee_contact_id: Number(contactId),
  });
  await world.farSide.call('DELETE', `${world.accountPath}/conversations/${conversationId}`, world.admin);
  await world.double.whenIdle();
  for (let tries = 0; tries < 100 && (await world.session(sessionId)).conversationId !== null; tries++)
    await world.read(sessionId);
  await world.user(sessionId, 'Still there?');
  expect(await world.applyAllVerdicts()).toEqual([]);
  expect(await world.session(sessionId)).toMatchObject({
    contactId: String(payload.contact.id),
    conversationId: expect.any(String),
  });
  expect((await world.messages(sessionId)).map(({ content }) => content)).toContain('Still there?');
});

it('a message forwarded long after it was said carries its time', async () => {
  const { id } = await world.open();
  await world.user(id, 'An hour ago');
  const saidAt = Math.floor((Date.now() + world.time.aheadMs) / 1_000);
  world.time.aheadMs += 3_600_000;
  await world.user(id, 'Now');
  expect(await world.applyAllVerdicts()).toEqual([]);
  const [late, now] = (await world.messages(id)).map(
    ({ content_attributes: attributes }) => (attributes as { external_created_at?: number }).external_created_at,
  );
  expect(Math.abs(late! - saidAt)).toBeLessThan(60);
  expect(now).toBeUndefined();
});

it('a message that the runtime recorded late carries the time at which it was said, in its text too', async () => {
  const { id: sessionId } = await world.open();
  const at = Math.floor((Date.now() + world.time.aheadMs) / 60_000) * 60_000 - 7_200_000;
  const saidAt = new Date(at).toISOString();
  await world.flows.recordEndUserMessage(
    { organizationId: 'org-1' },
    { sessionId, text: 'Two hours ago', attachments: [], messageId: null, idempotencyKey: 'late', saidAt },
  );
  expect(await world.applyAllVerdicts()).toEqual([]);
  const [late] = await world.messages(sessionId);
  expect(late).toMatchObject({
    content: `[said ${saidAt.slice(0, 16).replace('T', ' ')} UTC]\nTwo hours ago`,
    content_attributes: { external_created_at: at / 1_000 },
  });
});

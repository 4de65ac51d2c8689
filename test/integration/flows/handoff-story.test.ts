import { createFlowWorld, codeOf, scope, type FlowWorld } from '../../../src/testing/flow-world';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

async function queued() {
  const session = await world.open();
  await world.user(session.id, 'hello');
  await world.bot(session.id, 'hi, how can I help?');
  const { handoff } = await world.ask(session.id, {
    reason: 'invoice',
    summary: 'wants a copy',
    target: { team: '47', agent: null },
    resumeTarget: 'menu',
  });
  expect(await world.deliverAll()).toEqual([]);
  return { session, handoff };
}

it('goes from bot to agent and back, with history, note, order and outcome', async () => {
  const { session, handoff } = await queued();
  expect(world.provider.shown()).toEqual([
    'END_USER: hello',
    'BOT: hi, how can I help?',
    'NOTE: Handed over by the bot.\nReason: invoice\nSummary: wants a copy',
  ]);
  expect(world.provider.onlyConversation.view).toEqual({ status: 'OPEN', agent: null, teamId: '47' });
  expect(await world.session(session.id)).toMatchObject({ control: 'NONE', epoch: 2 });

  world.provider.set({ agent: 'alice' });
  await world.read(session.id);
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ASSIGNED', agent: { externalId: 'alice' } });
  expect(await world.session(session.id)).toMatchObject({ control: 'HUMAN', epoch: 3 });
  await world.user(session.id, 'are you there?');
  world.provider.agentNotes('looks like a known case');
  world.provider.agentSays('I am Alice');
  world.provider.agentSays('goodbye');
  world.provider.set({ status: 'RESOLVED' });
  await world.read(session.id);

  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDING', endReason: 'AGENT_RESOLVED' });
  expect(await world.session(session.id)).toMatchObject({ control: 'HUMAN', epoch: 3 });
  expect(await world.collected(session.id)).toEqual([
    'QUEUED',
    'SYSTEM: A colleague will be with you shortly.',
    'ASSIGNED',
    'ACTIVE',
    'AGENT: I am Alice',
    'AGENT: goodbye',
  ]);
  await world.acknowledgeAll(session.id);
  expect(await world.handoff(handoff.id)).toMatchObject({
    state: 'ENDED',
    resumeTarget: 'menu',
    agent: { externalId: 'alice' },
  });
  expect(await world.collected(session.id)).toEqual(['OUTCOME ENDED AGENT_RESOLVED']);
  expect(await world.session(session.id)).toMatchObject({ control: 'BOT', epoch: 4, liveHandoffId: null });
  expect((await world.bot(session.id, 'I am back')).delivered).toBe(true);
});

it('records no agent when a handoff ends that nobody had taken', async () => {
  const { session } = await queued();
  await world.flows.endHandoff(scope, {
    handoffId: null,
    sessionId: session.id,
    reason: 'BOT_CANCELLED',
    idempotencyKey: 'cancel',
  });
  await world.read(session.id);
  const controls = (await world.events(session.id)).flatMap(({ body }) =>
    body.type === 'CONTROL_CHANGED' ? [`${body.control} ${body.epoch}`] : [],
  );
  expect(controls).toEqual(['NONE 2', 'BOT 3']);
});

it('numbers the events of a session 1, 2, 3… without gaps', async () => {
  const { session } = await queued();
  const events = await world.events(session.id);
  expect(events.map(event => event.seq)).toEqual(events.map((_, i) => i + 1));
  expect(events.map(event => event.body.type)).toEqual([
    'SESSION_OPENED',
    'MESSAGE_RECORDED',
    'MESSAGE_RECORDED',
    'HANDOFF_CHANGED',
    'CONTROL_CHANGED',
    'HANDOFF_CHANGED',
    'MESSAGE_RECORDED',
  ]);
});

it('forwards nothing with a stale epoch of the bot', async () => {
  const { session } = await queued();
  expect(await codeOf(world.bot(session.id, 'me too', 1))).toBe('CONTROL_LOST');
  expect(await codeOf(world.bot(session.id, 'me too'))).toBe('CONTROL_LOST');
  expect(await world.deliverAll()).toEqual([]);
  expect(world.provider.shown().join()).not.toContain('me too');
  expect((await world.events(session.id)).filter(event => event.body.type === 'MESSAGE_RECORDED')).toHaveLength(3);
});

it('keeps a late bot message as an internal suggestion when the caller asks for that', async () => {
  const { session } = await queued();
  const { delivered, message } = await world.bot(session.id, 'try turning it off', 1, 'SUGGEST');
  expect([delivered, message.visibility]).toEqual([false, 'INTERNAL']);
  await world.deliverAll();
  expect(world.provider.shown().at(-1)).toBe('internal BOT: try turning it off');
});

it('ends at the drain limit when the runtime collects nothing', async () => {
  const { session, handoff } = await queued();
  world.provider.agentSays('bye');
  world.provider.set({ status: 'RESOLVED' });
  await world.read(session.id);
  world.time.ms += 29_999;
  await world.finishEndings();
  expect((await world.handoff(handoff.id)).state).toBe('ENDING');
  world.time.ms += 1;
  await world.finishEndings();
  expect((await world.handoff(handoff.id)).state).toBe('ENDED');
  expect((await world.collected(session.id)).slice(-2)).toEqual(['AGENT: bye', 'OUTCOME ENDED AGENT_RESOLVED']);
});

it('starts a new handoff that is requested while the last one is still ending', async () => {
  const { session, handoff } = await queued();
  world.provider.agentSays('bye');
  world.provider.set({ status: 'RESOLVED' });
  await world.read(session.id);
  expect((await world.handoff(handoff.id)).state).toBe('ENDING');
  const again = await world.ask(session.id);
  expect(again).toMatchObject({ alreadyLive: false, handoff: { state: 'REQUESTED' } });
  expect((await world.handoff(handoff.id)).state).toBe('ENDED');
  await world.deliverAll();
  await world.read(session.id);
  expect((await world.collected(session.id)).slice(-4)).toEqual([
    'AGENT: bye',
    'OUTCOME ENDED AGENT_RESOLVED',
    'QUEUED',
    'SYSTEM: A colleague will be with you shortly.',
  ]);
  expect(await codeOf(world.bot(session.id, 'me again'))).toBe('CONTROL_LOST');
});

it('handles a second handoff like the first, whatever the first left behind', async () => {
  const { session } = await queued();
  world.provider.set({ agent: 'alice' });
  await world.read(session.id);
  world.provider.set({ status: 'RESOLVED' });
  await world.read(session.id);
  expect((await world.session(session.id)).control).toBe('BOT');
  // The end-user writes again: the provider returns the conversation to the bot, with assignee and team still set.
  await world.user(session.id, 'one more thing');
  await world.deliverAll();
  world.provider.set({ status: 'BOT_HELD' });
  await world.read(session.id);
  expect((await world.session(session.id)).control).toBe('BOT');

  const { handoff, alreadyLive } = await world.ask(session.id, { target: { team: '48', agent: null } });
  expect(alreadyLive).toBe(false);
  expect(await world.deliverAll()).toEqual([]);
  expect(world.provider.onlyConversation.view).toEqual({ status: 'OPEN', agent: null, teamId: '48' });
  await world.read(session.id);
  expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
  world.provider.set({ agent: 'alice' });
  await world.read(session.id);
  expect((await world.handoff(handoff.id)).state).toBe('ASSIGNED');
});

it('follows transfer, unassignment, snooze and the return to the bot', async () => {
  const { session, handoff } = await queued();
  const state = async () => {
    await world.read(session.id);
    const { state, agent } = await world.handoff(handoff.id);
    return [state, agent?.externalId ?? null];
  };
  world.provider.set({ agent: 'alice' });
  expect(await state()).toEqual(['ASSIGNED', 'alice']);
  world.provider.set({ agent: 'bob' });
  expect(await state()).toEqual(['ASSIGNED', 'bob']);
  world.provider.agentSays('hi', 'bob');
  expect(await state()).toEqual(['ACTIVE', 'bob']);
  world.provider.set({ status: 'ON_HOLD' });
  expect(await state()).toEqual(['ON_HOLD', 'bob']);
  world.provider.set({ status: 'OPEN' });
  expect(await state()).toEqual(['ACTIVE', 'bob']);
  world.provider.set({ agent: null });
  expect(await state()).toEqual(['QUEUED', null]);
  expect((await world.session(session.id)).control).toBe('NONE');
  world.provider.set({ status: 'BOT_HELD' });
  await world.read(session.id);
  await world.acknowledgeAll(session.id);
  expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'AGENT_RETURNED' });
});

it('an agent who replies without being assigned stays on the handoff after the next sync', async () => {
  const { session, handoff } = await queued();
  world.provider.agentSays('hi');
  await world.read(session.id);
  await world.read(session.id);
  expect((await world.handoff(handoff.id)).state).toBe('ACTIVE');
});

it('forwards nothing twice, however often the same is synced', async () => {
  const { session } = await queued();
  for (let i = 0; i < 25; i++) world.provider.agentSays(`line ${i}`);
  for (let i = 0; i < 3; i++) await world.read(session.id);
  await Promise.all([world.read(session.id), world.read(session.id), world.read(session.id)]);
  const said = (await world.collected(session.id)).filter(line => line.startsWith('AGENT'));
  expect(said).toEqual(Array.from({ length: 25 }, (_, i) => `AGENT: line ${i}`));
});

import { ProviderRefusedError, ProviderUnavailableError } from '../../../src/core/errors';
import { MAX_ATTEMPTS } from '../../../src/core/flows/to-provider/update-contact';
import type { UpdateContact } from '../../../src/core/ports/provider/conversation-verbs';
import { Worker } from '../../../src/delivery';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { quiet } from '../../support/quiet';
import { until } from '../../support/until';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

const shownNotes = () =>
  world.provider.onlyConversation.entries.filter(({ author }) => author === 'NOTE').map(({ text }) => text);
const openAgain = (externalId: string, endUser: object) =>
  world.flows.openSession(scope, { chatbotId: 'bot-1', channel: 'web', externalId, endUser });

describe('a decoration that the provider refuses', () => {
  const asked = async (more: Parameters<FlowWorld['ask']>[1]) => {
    const session = await world.open();
    await world.user(session.id, 'I want my money back');
    await world.bot(session.id, 'One moment');
    const { handoff } = await world.ask(session.id, { reason: 'refund', ...more });
    return { session, handoff };
  };

  it.each<[what: string, verb: string, times: number, more: Parameters<FlowWorld['ask']>[1]]>([
    ['the note', 'postNote', 1, {}],
    ['a team', 'openForAgents', 1, { target: { team: '47', agent: null } }],
    ['an agent', 'openForAgents', 1, { target: { team: null, agent: 'alice' } }],
    ['a priority', 'openForAgents', 1, { priority: 'URGENT' }],
    ['a team and a priority', 'openForAgents', 3, { target: { team: '47', agent: null }, priority: 'HIGH' }],
    ['to be held before it is opened', 'returnToBot', 1, {}],
  ])('does not fail the handoff: %s', async (_what, verb, times, more) => {
    const { session, handoff } = await asked(more);
    if (verb === 'returnToBot') {
      await world.deliverAll();
      await world.flows.endHandoff(scope, {
        handoffId: handoff.id,
        sessionId: null,
        reason: 'BOT_CANCELLED',
        idempotencyKey: world.nextKey(),
      });
      await world.deliverAll();
      world.provider.set({ status: 'RESOLVED' });
      await world.read(session.id);
    }
    for (let n = 0; n < times; n++) world.provider.failNext(verb, 'refused');
    const { handoff: again } = verb === 'returnToBot' ? await world.ask(session.id, { reason: 'refund' }) : { handoff };
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.handoff(again.id)).state).toBe('QUEUED');
    expect(world.provider.onlyConversation.view.status).toBe('OPEN');
    expect(world.provider.shown().filter(line => !line.startsWith('NOTE'))).toEqual([
      'END_USER: I want my money back',
      'BOT: One moment',
    ]);
    expect((await world.session(session.id)).control).toBe('NONE');
  });

  it('is reported to agents: target and priority in a note, the note as a dead letter', async () => {
    const { session } = await asked({ target: { team: '47', agent: null }, priority: 'HIGH' });
    for (let n = 0; n < 3; n++) world.provider.failNext('openForAgents', 'refused');
    world.provider.failNext('postNote', 'refused');
    expect(await world.deliverAll()).toEqual([]);
    expect(shownNotes()).toEqual([
      'Not all that was asked for could be set here; the conversation is open to everybody who sees this inbox:\nTeam: billing\nPriority: HIGH',
    ]);
    const { edges: deadLetters } = await world.stores.deadLetters.page(
      ORG,
      'PARKED',
      {
        accountId: null,
        chatbotId: null,
        sessionId: session.id,
        destination: null,
        kind: null,
        code: null,
        parkedBefore: null,
        parkedAfter: null,
      },
      { first: 10, after: null },
    );
    expect(deadLetters.map(({ node: { kind, outcome } }) => [kind, outcome])).toEqual([
      ['POST_CONTEXT_NOTE', 'NOT_DELIVERED'],
    ]);
  });

  it('blocks nothing, even with the policy BLOCK: a note about the refused part', async () => {
    await world.flows.updatePolicy(scope, 'bot-1', { onDeadLetter: 'BLOCK' });
    const { session } = await asked({
      fields: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`key-${at}`, `value ${at}`])),
    });
    for (let n = 0; n < 2; n++) world.provider.failNext('postNote', 'refused');
    await world.user(session.id, 'Are you there?');
    const worker = new Worker(
      world.deps,
      { leaseMs: 60_000, concurrency: 1, concurrencyPerRemote: 1, pollMs: 20 },
      quiet,
    );
    await worker.start();
    await until(
      async () =>
        (await world.pool.query("select from lane where destination = 'PROVIDER' and next_run_at is not null")).rows
          .length === 0,
    );
    await worker.stop();
    expect((await world.stores.deliveries.countPending(ORG, session.id)).parked).toBe(2);
    expect(world.provider.shown().at(-1)).toBe('END_USER: Are you there?');
  });

  it('does not affect the other requested decorations', async () => {
    await asked({ target: { team: '47', agent: null }, priority: 'HIGH' });
    world.provider.failNext('openForAgents', 'refused');
    expect(await world.deliverAll()).toEqual([]);
    expect(world.provider.onlyConversation.view).toMatchObject({ status: 'OPEN', teamId: '47' });
    expect(shownNotes().at(-1)).toMatch(/Priority: HIGH$/);
  });

  it('is reported too when its target no longer exists', async () => {
    const { session } = await asked({ target: { team: '47', agent: null } });
    await world.pool.query('delete from team');
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.session(session.id)).control).toBe('NONE');
    expect(shownNotes().at(-1)).toMatch(/A team or agent that is not in this account any more\.$/);
  });

  it('does not excuse a conversation that cannot be created: that fails the handoff', async () => {
    const { handoff } = await asked({});
    for (let n = 0; n < 3; n++) world.provider.failNext('openConversation', 'refused');
    const worker = new Worker(
      world.deps,
      { leaseMs: 60_000, concurrency: 1, concurrencyPerRemote: 1, pollMs: 20 },
      quiet,
    );
    await worker.start();
    while ((await world.handoff(handoff.id)).state === 'REQUESTED')
      await new Promise(resolve => setTimeout(resolve, 20));
    await worker.stop();
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'FAILED', failureCode: 'PROVIDER_REFUSED' });
  });
});

describe('data learned of an end-user after their contact was created', () => {
  const requests: UpdateContact[] = [];
  const contact = (behave: () => readonly string[] = () => []) => {
    requests.length = 0;
    (world.provider as { updateContact?: unknown }).updateContact = async (request: UpdateContact) => {
      requests.push(request);
      return behave();
    };
  };
  const begun = async () => {
    const session = await world.open('visitor');
    await world.user(session.id, 'hi');
    await world.deliverAll();
    return session.id;
  };

  it('is sent once, through the lane, together with what was written before', async () => {
    contact();
    const id = await begun();
    const known = (await world.session(id)).endUser;
    expect(
      (await openAgain('visitor', { email: 'jane@users.example', attributes: { plan: 'gold' } })).session.endUser,
    ).toMatchObject({ name: 'Jane', email: 'jane@users.example' });
    await openAgain('visitor', { email: 'jane@users.example' });
    expect(await world.deliverAll()).toEqual([]);
    const learned = { ...known, email: 'jane@users.example', attributes: { plan: 'gold' } };
    expect(requests).toMatchObject([{ contactId: `contact-${id}`, sessionId: id, before: known, endUser: learned }]);
    expect((await world.session(id)).contactEndUser).toEqual(learned);
  });

  it('is sent in its newest form when it changes while it is pending', async () => {
    contact();
    const id = await begun();
    await openAgain('visitor', { name: 'Jane R' });
    await openAgain('visitor', { name: 'Jane Roe' });
    await world.deliverAll();
    expect(requests.map(({ endUser }) => endUser.name)).toEqual(['Jane Roe']);
    expect((await world.session(id)).contactEndUser?.name).toBe('Jane Roe');
  });

  it('is not lost when it arrives while the contact is being created', async () => {
    contact();
    const session = await world.open('visitor');
    await world.user(session.id, 'hi');
    world.provider.hooks.set('ensureContact', async () => {
      await openAgain('visitor', { phone: '+15550100' });
    });
    expect(await world.deliverAll()).toEqual([]);
    expect(requests.map(({ before, endUser }) => [before?.phone, endUser.phone])).toEqual([[null, '+15550100']]);
  });

  it('needs no call before there is a contact', async () => {
    contact();
    await world.open('visitor');
    await openAgain('visitor', { phone: '+15550100' });
    await world.deliverAll();
    expect(requests).toEqual([]);
  });

  it.each<[what: string, failure: () => Error, tries: number]>([
    ['refused', () => new ProviderRefusedError('no'), 1],
    ['refused because it is gone', () => new ProviderRefusedError('no', { gone: true }), 1],
    ['never replied', () => new ProviderUnavailableError('crashed'), MAX_ATTEMPTS + 1],
  ])('is reported in a note when it is %s, and later deliveries arrive', async (_what, failure, tries) => {
    contact(() => {
      throw failure();
    });
    const id = await begun();
    await openAgain('visitor', { email: 'jane@users.example' });
    await world.user(id, 'still there?');
    await world.deliverAll();
    expect(requests).toHaveLength(tries);
    expect(world.provider.shown()).toEqual([
      'END_USER: hi',
      'END_USER: still there?',
      'NOTE: Not all that is known of the end-user could be shown on their contact:\nE-mail: jane@users.example',
    ]);
    expect((await world.stores.deliveries.countPending(ORG, id)).parked).toBe(0);
  });

  it('is reported in a note when it is too long', async () => {
    contact(() => ['Name: Jane, and very much of it']);
    await begun();
    await openAgain('visitor', { name: 'x'.repeat(300) });
    await world.deliverAll();
    expect(shownNotes()).toEqual([
      'Not all that is known of the end-user could be shown on their contact:\nName: Jane, and very much of it',
    ]);
  });

  it('causes nothing where the provider has no such verb', async () => {
    const id = await begun();
    await openAgain('visitor', { email: 'jane@users.example' });
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.session(id)).endUser.email).toBe('jane@users.example');
  });

  it('is merged with what is known, also when two updates arrive at once', async () => {
    await openAgain('both', { name: 'Jane', email: 'jane@users.example', attributes: { plan: 'gold', seat: '1' } });
    await Promise.all([
      openAgain('both', { name: 'Jane Roe', attributes: { seat: '2' } }),
      openAgain('both', { locale: 'de-AT' }),
    ]);
    expect((await openAgain('both', {})).session.endUser).toEqual({
      externalId: null,
      name: 'Jane Roe',
      email: 'jane@users.example',
      phone: null,
      locale: 'de-AT',
      attributes: { plan: 'gold', seat: '2' },
    });
  });
});

import { deliver } from '../../../src/core/flows/to-provider/deliver';
import { endHandoffIfDisabled } from '../../../src/core/flows/setup/disable';
import type { PostNote, PostTranscript } from '../../../src/core/ports/provider/post-verbs';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { createLease } from '../../../src/testing/lease';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

const leasesEnd = () => world.pool.query('update lane set next_run_at = now()');
const claim = async () => (await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000))[0]!;
const work = async () => deliver(world.deps, (await claim()).delivery, createLease());
const cancel = (sessionId: string) =>
  world.flows.endHandoff(scope, {
    sessionId,
    handoffId: null,
    reason: 'BOT_CANCELLED',
    idempotencyKey: world.nextKey(),
  });

async function opened(): Promise<string> {
  const { id } = await world.open();
  await world.user(id, 'help');
  await world.ask(id);
  await world.deliverAll();
  await world.read(id);
  return id;
}

describe('an outdated view of a sync', () => {
  it('is ignored when another sync has seen a later one, even if that looks like the earlier one', async () => {
    const id = await opened();
    world.provider.set({ status: 'RESOLVED' });
    // Pauses between its state and its messages; meanwhile agents change the state, and another replica syncs.
    world.provider.hooks.set('listMessages', async () => {
      world.time.ms += 61_000;
      world.provider.set({ status: 'OPEN' });
      await world.read(id);
    });
    await world.read(id);
    await world.read(id);
    const { liveHandoffId } = await world.session(id);
    expect(liveHandoffId).not.toBeNull();
    expect(await world.handoff(liveHandoffId!)).toMatchObject({ state: 'QUEUED' });
  });
});

describe('a conversation that was opened for the agent who took it over', () => {
  async function takenOver(): Promise<string> {
    const { id } = await world.open();
    await world.user(id, 'hello');
    await world.deliverAll();
    world.provider.agentSays('May I?');
    await world.read(id);
    return id;
  }

  it('is not opened again when only the completion was lost and the agent has returned it', async () => {
    const id = await takenOver();
    await work();
    world.provider.set({ status: 'BOT_HELD', agent: null });
    await leasesEnd();
    await work();
    expect(world.provider.onlyConversation.view.status).toBe('BOT_HELD');
    await world.read(id);
    const [handoff] = (
      await world.stores.handoffs.page(
        ORG,
        { chatbotIds: null, states: null, live: null, teamIds: null, sessionId: id },
        { first: 1, after: null },
      )
    ).edges;
    expect(handoff!.node).toMatchObject({ endReason: 'AGENT_RETURNED' });
  });

  it('is not taken over a second time when it is cancelled before the next sync', async () => {
    const id = await takenOver();
    expect(await world.deliverAll()).toEqual([]);
    await world.acknowledgeAll(id);
    await cancel(id);
    await world.read(id);
    expect(await world.session(id)).toMatchObject({ liveHandoffId: null, control: 'BOT' });
  });
});

describe('an opening whose worker died before any remote call', () => {
  it('continues, although the conversation was resolved before and somebody writes in it', async () => {
    const { id } = await world.open();
    await world.user(id, 'hello');
    await world.deliverAll();
    world.provider.set({ status: 'RESOLVED' });
    await world.ask(id);
    const dies = createLease(async () => {
      throw new Error('killed');
    });
    await expect(deliver(world.deps, (await claim()).delivery, dies)).rejects.toThrow('killed');
    world.provider.agentSays('Anything else?');
    await world.read(id);
    await leasesEnd();
    await work();
    expect(world.provider.onlyConversation.view.status).toBe('OPEN');
    await world.read(id);
    expect(await world.session(id)).toMatchObject({ control: 'HUMAN', liveHandoffId: expect.any(String) });
  });
});

describe('what a dead worker posted, and a sync read before the next attempt', () => {
  it('is looked up after the message that it belongs to: a note that a part was not forwarded', async () => {
    const id = await opened();
    world.provider.agentSays('with a sticker');
    const said = String(world.provider.onlyConversation.entries.at(-1)!.id);
    const { listMessages, postNote } = world.provider;
    world.provider.listMessages = async request => {
      const page = await listMessages(request);
      return {
        ...page,
        observations: page.observations.map(one =>
          one.kind === 'agentMessage' ? { ...one, omittedContent: 'a sticker' } : one,
        ),
      };
    };
    await world.read(id);
    world.provider.failNext('postNote', 'after');
    await expect(work()).rejects.toThrow('cut');
    world.provider.agentNotes('later');
    await world.read(id);
    await leasesEnd();
    const asked: PostNote[] = [];
    world.provider.postNote = request => {
      asked.push(request);
      return postNote(request);
    };
    await work();
    expect(asked).toMatchObject([{ mayExist: true, lookupAfter: said }]);
  });

  it('is looked up from the start: the file of a long conversation', async () => {
    await world.flows.updatePolicy(scope, 'bot-1', { mirroring: 'ON_HANDOFF' });
    const asked: PostTranscript[] = [];
    let isCut = true;
    Object.assign(world.provider, {
      postingCapacity: () => 1,
      postTranscript: async (request: PostTranscript) => {
        asked.push(request);
        const id = await world.provider.postNote({ ...request, text: request.title });
        if (isCut) throw new Error('cut');
        return id;
      },
    });
    const { id } = await world.open();
    for (const text of ['one', 'two', 'three']) await world.user(id, text);
    await world.ask(id);
    await expect(work()).rejects.toThrow('cut');
    world.provider.agentNotes('later');
    await world.read(id);
    isCut = false;
    await leasesEnd();
    await work();
    expect(asked.at(-1)).toMatchObject({ mayExist: true, lookupAfter: null });
    expect((await world.session(id)).syncCursor).not.toBeNull();
  });
});

describe('a worker that finds support disabled', () => {
  it('ends nothing when support was enabled again meanwhile', async () => {
    const id = await opened();
    expect(await endHandoffIfDisabled(world.deps, ORG, id)).toEqual({ isDisabled: false, hasEnded: false });
    expect((await world.session(id)).liveHandoffId).not.toBeNull();
  });
});

import type { ProviderHttpResponse } from '../../../core/ports/provider/definition';
import { createRoutes } from '../api/routes';
import { openDesk, to, type DeskFixture } from './stand';

describe('the stream of changes at the desk', () => {
  let desk: DeskFixture;
  beforeEach(async () => {
    desk = await openDesk();
  });
  afterEach(() => desk.world.stop());

  /** Returns the routes of one replica, and counts their statements. */
  function replica() {
    const { host } = desk.world;
    const replica = {
      statements: 0,
      ask: createRoutes({
        ...host,
        database: {
          ...host.database,
          query: (text, values) => {
            replica.statements += 1;
            return host.database.query(text, values);
          },
        },
      }),
    };
    return replica;
  }
  async function follow(
    of: ReturnType<typeof replica>,
    organizationId = desk.organizationId,
  ): Promise<AsyncIterableIterator<string>> {
    const response: ProviderHttpResponse = await of.ask({
      method: 'GET',
      path: '/api/changes',
      query: new URLSearchParams(),
      headers: {},
      readBody: async () => Buffer.from(''),
      caller: { organizationId, role: 'ui', userId: null },
    });
    expect(response.headers['content-type']).toContain('text/event-stream');
    return response.body as AsyncIterableIterator<string>;
  }
  /** Waits for the next change. Heartbeats do not count. */
  async function changed(stream: AsyncIterableIterator<string>): Promise<void> {
    for (let text: string | undefined = ''; !text.startsWith('event: changed'); ) {
      const next: IteratorResult<string> = await stream.next();
      if (next.done) throw new Error('The event stream ended before the expected change.');
      text = next.value;
    }
  }

  it('begins with a change, then reports the changes of any replica', async () => {
    const stream = await follow(replica());
    await changed(stream);
    // The first activity that the stream finds counts as a change.
    const conversation = await desk.waiting();
    await changed(stream);
    desk.world.ahead = 1_000;
    // The fixture's own routes act as another replica.
    await desk.call(to(conversation, 'assign', { agentId: desk.agents.Ada }));
    await changed(stream);
    await stream.return!();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('costs one statement a second for all readers of a process, and nothing once the last has left', async () => {
    jest.useFakeTimers({
      doNotFake: [
        'Date',
        'hrtime',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'clearImmediate',
        'setTimeout',
        'clearTimeout',
      ],
    });
    try {
      const one = replica();
      const streams = [await follow(one), await follow(one), await follow(one)];
      for (const stream of streams) await changed(stream);
      const atFirst = one.statements;
      jest.advanceTimersByTime(1_000);
      expect(one.statements - atFirst).toBe(1);
      for (const stream of streams) await stream.return!();
      expect(jest.getTimerCount()).toBe(0);
      jest.advanceTimersByTime(60_000);
      expect(one.statements - atFirst).toBe(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it('is refused to unidentified callers', async () => {
    expect((await desk.world.call({ path: '/api/changes' })).status).toBe(401);
  });
});

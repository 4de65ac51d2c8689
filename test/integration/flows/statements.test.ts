import { Client } from 'pg';
import { deliver } from '../../../src/core/flows/to-provider/deliver';
import { createFlowWorld, type FlowWorld } from '../../../src/testing/flow-world';
import { createLease } from '../../../src/testing/lease';

let world: FlowWorld;
let statements: string[];
beforeEach(async () => {
  statements = recordStatements();
  world = await createFlowWorld({ mirroring: 'ALWAYS' });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await world.close();
});

/** Records the statements of this process by their names; those without a name by their first word. */
function recordStatements(): string[] {
  const seen: string[] = [];
  const original = Client.prototype.query as (...given: unknown[]) => unknown;
  jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...given: unknown[]) {
    const [query] = given as [string | { name?: string; text: string }];
    seen.push(typeof query === 'string' ? query : (query.name ?? query.text.trim().split(/\s/)[0]!));
    return original.apply(this, given);
  });
  return seen;
}

/** Does all due deliveries. Returns each with the statements that it took. */
async function deliverAll(): Promise<{ kind: string; statements: string[] }[]> {
  const done: { kind: string; statements: string[] }[] = [];
  for (;;) {
    const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
    if (!lane) return done;
    statements.length = 0;
    await deliver(world.deps, lane.delivery, createLease());
    done.push({ kind: lane.delivery.work.kind, statements: [...statements] });
    await world.stores.lanes.complete(lane);
  }
}

const READ_OUTSIDE = ['session', 'inbox', 'account', 'handoff', 'session_connection'];
const readsOf = (statements: readonly string[]) => statements.filter(name => READ_OUTSIDE.includes(name));

it('a delivered message reads session, inbox, account and handoff once', async () => {
  const { id } = await world.open();
  await world.user(id, 'hello');
  await deliverAll();
  await world.user(id, 'anybody there?');
  const [posted] = await deliverAll();
  expect(posted!.kind).toBe('POST_MESSAGE');
  expect(readsOf(posted!.statements)).toEqual(['session_connection']);
  expect(posted!.statements.length).toBeLessThanOrEqual(12);
});

it('so does each delivery of an opening', async () => {
  const { id } = await world.open();
  for (let i = 0; i < 5; i++) await world.user(id, `message ${i}`);
  await world.ask(id, { reason: 'wants a person' });
  const done = await deliverAll();
  expect(done.map(({ kind }) => kind)).toEqual([
    ...Array.from({ length: 5 }, () => 'POST_MESSAGE'),
    'POST_CONTEXT_NOTE',
    'OPEN_HANDOFF',
  ]);
  for (const { statements } of done) expect(readsOf(statements)).toEqual(['session_connection']);
});

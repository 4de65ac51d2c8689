import { createFlows } from '../../../src/core/flows';
import type { SupportProvider } from '../../../src/core/ports/provider/support-provider';
import { Worker } from '../../../src/delivery';
import { createFlowWorld, type FlowWorld } from '../../../src/testing/flow-world';
import { ScriptedProvider, scriptedDefinition } from '../../../src/testing/scripted-provider';
import { quiet } from '../../support/quiet';
import { until } from '../../support/until';

const HANGING = { organizationId: 'org-hanging' };
const WELL = { organizationId: 'org-well' };

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

/** Two accounts of one provider; calls for the first do not return until the test lets them. */
async function twoAccounts() {
  const well = new ScriptedProvider();
  let letGo!: () => void;
  const held = new Promise<void>(resolve => {
    letGo = resolve;
  });
  const reached = { calls: 0 };
  const provider: SupportProvider = Object.assign(Object.create(well) as SupportProvider, {
    ensureContact: async (...call: Parameters<SupportProvider['ensureContact']>) => {
      if (call[0].account.accountId !== hanging) return well.ensureContact(call[0], call[1]);
      reached.calls += 1;
      await held;
      return `contact-${call[1]}`;
    },
  });
  const deps = {
    ...world.deps,
    providers: new Map([['scripted', { definition: scriptedDefinition(provider), instance: provider }]]),
  };
  const flows = createFlows(deps);
  let hanging = '';
  const open = async (scope: { organizationId: string }, chatbotId: string, count: number) => {
    const { account } = await flows.enableSupport(scope, {
      provider: 'scripted',
      name: 'One',
      baseUrl: null,
      settings: {},
      credentials: {},
      owners: [],
    });
    if (scope === HANGING) hanging = account.id;
    await flows.enableChatbot(scope, { chatbotId, name: 'Bot', accountId: null, policy: {} });
    for (let i = 0; i < count; i++) {
      const { session } = await flows.openSession(scope, {
        chatbotId,
        channel: 'web',
        externalId: `${i}`,
        endUser: {},
      });
      await flows.recordEndUserMessage(scope, {
        sessionId: session.id,
        text: 'Hello?',
        attachments: [],
        messageId: null,
        idempotencyKey: world.nextKey(),
      });
    }
  };
  return { deps, open, reached, letGo, well };
}

it('an account that hangs uses up its own job slots and no others, whatever its backlog', async () => {
  const { deps, open, reached, letGo, well } = await twoAccounts();
  await open(HANGING, 'bot-h', 40);
  const worker = new Worker(deps, { leaseMs: 60_000, concurrency: 8, concurrencyPerRemote: 3, pollMs: 20 }, quiet);
  await worker.start();
  await until(() => reached.calls >= 3);

  await open(WELL, 'bot-w', 20);
  worker.wake();
  // All messages of the healthy account arrive while every call of the other one is still running.
  await until(() => well.conversations.reduce((sum, { entries }) => sum + entries.length, 0) >= 20);
  expect(reached.calls).toBe(3);
  letGo();
  await worker.stop();
});

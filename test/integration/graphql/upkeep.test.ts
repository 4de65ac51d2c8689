import { caller, createFlowWorld, type FlowWorld, ORG, type GraphqlApi, startGraphqlApi } from './room';

let world: FlowWorld;
let api: GraphqlApi;
beforeEach(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
});
afterEach(async () => {
  await api?.stop();
  await world?.close();
});

const OPERATOR = caller('operator');
const accountId = async () => (await world.stores.setup.listAccounts(ORG))[0]!.id;
const run = async (query: string, variables: object = {}, as = OPERATOR) => (await api.run(query, variables, as)).body;
const DRIFT =
  'query ($id: ID!) { supportDrift(accountId: $id) { id kind subject desired observed repairable problem } }';
const REPAIR =
  'mutation ($input: RepairSupportDriftInput!) { repairSupportDrift(input: $input) { account { health { state problem { code } checkedAt } version } items { id } userErrors { code } } }';
const ITEM = {
  id: 'bot-agent:role',
  kind: 'BOT_AGENT_ROLE',
  subject: 'BotAgent1',
  desired: 'administrator',
  observed: 'agent',
  repairable: true,
  problem: 'BotAgent1 is no longer an administrator.',
} as const;

it("drift shows desired against observed, repair covers the chosen items, and the account's health is shown", async () => {
  const id = await accountId();
  world.provider.drifted = [ITEM];
  expect((await run(DRIFT, { id })).data.supportDrift).toEqual([ITEM]);
  expect(
    (await run('{ supportAccounts { health { state problem { code message } checkedAt } version } }', {}, caller('ui')))
      .data.supportAccounts,
  ).toEqual([
    {
      version: '2.0',
      health: {
        state: 'UNAUTHORIZED',
        problem: { code: 'PROVIDER_AUTH', message: ITEM.problem },
        checkedAt: expect.any(String),
      },
    },
  ]);
  expect((await run(REPAIR, { input: { accountId: id, items: [ITEM.id] } })).data.repairSupportDrift).toEqual({
    account: { version: '2.0', health: { state: 'HEALTHY', problem: null, checkedAt: expect.any(String) } },
    items: [],
    userErrors: [],
  });
});

it('drift and repair are for operators of that organization', async () => {
  const id = await accountId();
  expect((await run(DRIFT, { id }, caller('ui'))).errors[0].extensions.code).toBe('FORBIDDEN');
  expect((await run(DRIFT, { id }, caller('operator', 'org-2'))).errors[0].extensions.code).toBe('ACCOUNT_NOT_FOUND');
  expect(
    (await run(REPAIR, { input: { accountId: id, items: [] } }, caller('operator', 'org-2'))).data.repairSupportDrift
      .userErrors,
  ).toEqual([{ code: 'ACCOUNT_NOT_FOUND' }]);
  expect(world.provider.calls).not.toContain('inspectDrift');
});

it('a failed inspection reports its reason, also on the account', async () => {
  world.provider.failNext('inspectDrift', 'before');
  expect((await run(DRIFT, { id: await accountId() })).errors[0].extensions).toMatchObject({
    code: 'PROVIDER_UNAVAILABLE',
    retryable: true,
  });
  expect((await world.stores.setup.listAccounts(ORG))[0]!.health).toMatchObject({ state: 'UNREACHABLE' });
});

it('support is enabled and disabled for a chatbot and for the organization', async () => {
  const disable = (name: string, input: object, as = OPERATOR) =>
    run(
      `mutation ($input: ${name}Input!) { answer: ${name[0]!.toLowerCase()}${name.slice(1)}(input: $input) { ${name === 'DisableSupport' ? 'account' : 'inbox'} { state } endedHandoffs userErrors { code field } } }`,
      { input },
      as,
    );
  const session = await world.open();
  await world.ask(session.id);
  expect((await disable('DisableChatbotSupport', { chatbotId: 'bot-1' })).data.answer).toEqual({
    inbox: { state: 'DISABLED' },
    endedHandoffs: 1,
    userErrors: [],
  });
  expect((await disable('DisableChatbotSupport', { chatbotId: 'bot-7' })).data.answer).toMatchObject({
    inbox: null,
    userErrors: [{ code: 'CHATBOT_NOT_ENABLED', field: 'chatbotId' }],
  });
  expect((await disable('DisableSupport', {})).data.answer).toEqual({
    account: { state: 'DISABLED' },
    endedHandoffs: 0,
    userErrors: [],
  });
  expect((await disable('DisableSupport', {})).data.answer).toMatchObject({
    userErrors: [{ code: 'ORGANIZATION_NOT_ENABLED' }],
  });
  expect((await disable('DisableSupport', {}, caller('bot'))).errors[0].extensions.code).toBe('FORBIDDEN');
});

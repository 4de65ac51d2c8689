import { randomUUID } from 'node:crypto';
import { caller, createFlowWorld, type FlowWorld, ORG, type GraphqlApi, startGraphqlApi } from './room';

let world: FlowWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

const ERRORS = 'userErrors { code field message control epoch }';
const MUTATIONS = {
  openSupportSession: {
    input: 'OpenSupportSessionInput',
    fields: `created session { id channel externalId control epoch mayReply endUser { name locale attributes } }`,
  },
  recordEndUserMessage: {
    input: 'RecordEndUserMessageInput',
    fields:
      'mayReply replayed message { id seq text author attachments { url sizeBytes } callerMessageId } session { epoch control }',
  },
  sendBotMessage: {
    input: 'SendBotMessageInput',
    fields: 'delivered replayed message { seq visibility text } session { epoch control }',
  },
  requestHandoff: {
    input: 'RequestHandoffInput',
    fields:
      'alreadyLive replayed handoff { id state isLive reason fields priority targetTeam { name } resumeTarget } session { id control epoch liveHandoff { id } }',
  },
  cancelHandoff: {
    input: 'CancelHandoffInput',
    fields: 'alreadyEnded replayed handoff { id endReason } session { control }',
  },
  endHandoff: {
    input: 'EndHandoffInput',
    fields: 'alreadyEnded replayed handoff { id endReason } session { control }',
  },
  closeSupportSession: {
    input: 'CloseSupportSessionInput',
    fields: 'alreadyClosed replayed session { closedAt mayReply }',
  },
  acknowledgeRuntimeDeliveries: { input: 'AcknowledgeRuntimeDeliveriesInput', fields: 'acknowledged unknown' },
  enableSupport: {
    input: 'EnableSupportInput',
    fields: 'manualSteps account { id provider state credentialNames settings }',
  },
  enableChatbotSupport: {
    input: 'EnableChatbotSupportInput',
    fields: 'inbox { id name state policy { whileWaiting mirroring lines { queued ended } } chatbot { id } }',
  },
  updateSupportPolicy: {
    input: 'UpdateSupportPolicyInput',
    fields: 'inbox { policy { whileWaiting mirroring lines { queued rejected ended } } }',
  },
  refreshSupportDirectory: {
    input: 'RefreshSupportDirectoryInput',
    fields: 'teams { id externalId name } agents { id externalId name role }',
  },
  linkSupportAgent: { input: 'LinkSupportAgentInput', fields: 'agent { id user { id supportAgents { externalId } } }' },
} as const;
type Name = keyof typeof MUTATIONS;

async function mutate(name: Name, input: object, as = caller('bot')): Promise<any> {
  const { body } = await api.run(
    `mutation ($input: ${MUTATIONS[name].input}!) { ${name}(input: $input) { ${MUTATIONS[name].fields} ${ERRORS} } }`,
    { input },
    as,
  );
  return body.errors ? body : body.data[name];
}
const key = (): string => randomUUID();
const open = async (): Promise<string> =>
  (await mutate('openSupportSession', { chatbotId: 'bot-1', channel: 'web', externalId: randomUUID() })).session.id;

describe('the runtime', () => {
  it('opens a session once, and finds it again with the updated end-user', async () => {
    const externalId = randomUUID();
    const input = { chatbotId: 'bot-1', channel: 'web', externalId };
    const first = await mutate('openSupportSession', {
      ...input,
      endUser: { name: 'Jane', attributes: { plan: 'gold' } },
    });
    expect(first).toMatchObject({
      created: true,
      userErrors: [],
      session: {
        channel: 'web',
        externalId,
        control: 'BOT',
        epoch: 1,
        mayReply: true,
        endUser: { name: 'Jane', locale: null, attributes: { plan: 'gold' } },
      },
    });
    const again = await mutate('openSupportSession', { ...input, endUser: { locale: 'de-AT' } });
    expect(again).toMatchObject({
      created: false,
      session: { id: first.session.id, endUser: { name: 'Jane', locale: 'de-AT', attributes: { plan: 'gold' } } },
    });
  });

  it('records messages, once each', async () => {
    const sessionId = await open();
    const input = {
      sessionId,
      text: 'hello',
      attachments: [{ url: 'https://files.example/a.png', name: 'a.png', contentType: 'image/png' }],
      messageId: 't-1',
      idempotencyKey: key(),
    };
    const first = await mutate('recordEndUserMessage', input);
    expect(first).toMatchObject({
      mayReply: true,
      replayed: false,
      userErrors: [],
      session: { control: 'BOT', epoch: 1 },
      message: {
        seq: 1,
        text: 'hello',
        author: 'END_USER',
        callerMessageId: 't-1',
        attachments: [{ url: 'https://files.example/a.png', sizeBytes: null }],
      },
    });
    expect(await mutate('recordEndUserMessage', input)).toEqual({ ...first, replayed: true });
    expect(await mutate('sendBotMessage', { sessionId, epoch: 1, text: 'hi', idempotencyKey: key() })).toMatchObject({
      delivered: true,
      message: { seq: 2, visibility: 'PUBLIC' },
    });
  });

  it('requests an agent with all context, and loses control by it', async () => {
    const sessionId = await open();
    const asked = await mutate('requestHandoff', {
      sessionId,
      target: { team: 47 },
      reason: 'invoice',
      fields: { order: 'A-17' },
      priority: 'HIGH',
      resumeTarget: 'menu',
      epoch: 1,
      idempotencyKey: key(),
    });
    expect(asked).toMatchObject({
      alreadyLive: false,
      replayed: false,
      userErrors: [],
      session: { id: sessionId, control: 'NONE', epoch: 2 },
      handoff: {
        state: 'REQUESTED',
        isLive: true,
        reason: 'invoice',
        fields: { order: 'A-17' },
        priority: 'HIGH',
        targetTeam: { name: 'billing' },
        resumeTarget: 'menu',
      },
    });
    expect(asked.session.liveHandoff.id).toBe(asked.handoff.id);
    expect(await mutate('requestHandoff', { sessionId, idempotencyKey: key() })).toMatchObject({
      alreadyLive: true,
      handoff: { id: asked.handoff.id },
    });

    const lost = await mutate('sendBotMessage', { sessionId, epoch: 1, text: 'me too', idempotencyKey: key() });
    expect(lost).toEqual({
      delivered: false,
      replayed: false,
      message: null,
      session: null,
      userErrors: [{ code: 'CONTROL_LOST', field: 'epoch', message: expect.any(String), control: 'NONE', epoch: 2 }],
    });
    expect(
      await mutate('sendBotMessage', {
        sessionId,
        epoch: 1,
        text: 'perhaps the invoice of May?',
        onControlLost: 'SUGGEST',
        idempotencyKey: key(),
      }),
    ).toMatchObject({ delivered: false, message: { visibility: 'INTERNAL' }, userErrors: [] });
  });

  it('cancels a handoff by its session, and an operator ends one by its id', async () => {
    const sessionId = await open();
    const { handoff } = await mutate('requestHandoff', { sessionId, idempotencyKey: key() });
    expect(await mutate('cancelHandoff', { sessionId, reason: 'USER_ENDED', idempotencyKey: key() })).toMatchObject({
      alreadyEnded: false,
      handoff: { id: handoff.id, endReason: 'USER_ENDED' },
      userErrors: [],
    });
    await world.finishEndings();
    expect(
      await mutate('endHandoff', { handoffId: handoff.id, idempotencyKey: key() }, caller('operator')),
    ).toMatchObject({ alreadyEnded: true, handoff: { endReason: 'USER_ENDED' } });
    const second = await mutate('requestHandoff', { sessionId, idempotencyKey: key() });
    expect(
      await mutate('endHandoff', { handoffId: second.handoff.id, idempotencyKey: key() }, caller('operator')),
    ).toMatchObject({ handoff: { endReason: 'OPERATOR_ENDED' }, userErrors: [] });
  });

  it('closes a session', async () => {
    const sessionId = await open();
    expect(await mutate('closeSupportSession', { sessionId, idempotencyKey: key() })).toMatchObject({
      alreadyClosed: false,
      session: { closedAt: expect.stringMatching(/^2026-11-22T12:00:00\.000Z$/), mayReply: false },
    });
    expect(
      (await mutate('recordEndUserMessage', { sessionId, text: 'hello?', idempotencyKey: key() })).userErrors,
    ).toMatchObject([{ code: 'SESSION_CLOSED' }]);
  });

  it('acknowledges known deliveries, and is told which ids are unknown', async () => {
    const sessionId = await open();
    await mutate('requestHandoff', { sessionId, idempotencyKey: key() });
    await world.deliverAll();
    const [delivery] = await world.inbox(sessionId);
    expect(await mutate('acknowledgeRuntimeDeliveries', { ids: [delivery!.id, 'x', '999999999'] })).toEqual({
      acknowledged: [delivery!.id],
      unknown: ['x', '999999999'],
      userErrors: [],
    });
    const many = await mutate('acknowledgeRuntimeDeliveries', { ids: Array.from({ length: 501 }, String) });
    expect(many).toMatchObject({ acknowledged: [], userErrors: [{ code: 'INPUT_INVALID', field: 'ids' }] });
  });
});

describe('invalid input returns a typed userError and changes nothing:', () => {
  const UNKNOWN = '00000000-0000-4000-8000-000000000000';
  const cases: readonly (readonly [string, Name, (sessionId: string) => object, string])[] = [
    ['an unknown session', 'recordEndUserMessage', () => ({ sessionId: UNKNOWN, text: 'x' }), 'SESSION_NOT_FOUND'],
    ['an id that is none', 'sendBotMessage', () => ({ sessionId: '%', epoch: 1, text: 'x' }), 'SESSION_NOT_FOUND'],
    ['an unknown handoff', 'endHandoff', () => ({ handoffId: UNKNOWN }), 'HANDOFF_NOT_FOUND'],
    ['no live handoff', 'cancelHandoff', sessionId => ({ sessionId }), 'NO_LIVE_HANDOFF'],
    ['empty text', 'recordEndUserMessage', sessionId => ({ sessionId, text: ' \n ' }), 'TEXT_EMPTY'],
    ['over-long text', 'recordEndUserMessage', sessionId => ({ sessionId, text: 'x'.repeat(64_001) }), 'TEXT_TOO_LONG'],
    ['a stale epoch', 'sendBotMessage', sessionId => ({ sessionId, epoch: 7, text: 'x' }), 'CONTROL_LOST'],
    ['an unknown team', 'requestHandoff', sessionId => ({ sessionId, target: { team: '999' } }), 'TEAM_NOT_FOUND'],
    [
      'two targets',
      'requestHandoff',
      sessionId => ({ sessionId, target: { team: '47', agent: 'alice' } }),
      'TARGET_AMBIGUOUS',
    ],
    ['fields that are a list', 'requestHandoff', sessionId => ({ sessionId, fields: ['x'] }), 'INPUT_INVALID'],
    ['a field that is no text', 'requestHandoff', sessionId => ({ sessionId, fields: { order: 17 } }), 'INPUT_INVALID'],
  ];
  it.each(cases)('%s', async (_what, name, input, code) => {
    const sessionId = await open();
    const before = await world.events(sessionId);
    const answer = await mutate(name, { ...input(sessionId), idempotencyKey: key() }, caller('gateway'));
    expect(answer.userErrors).toEqual([expect.objectContaining({ code, field: expect.any(String) })]);
    for (const [field, value] of Object.entries(answer))
      if (field !== 'userErrors') expect([field, value]).toEqual([field, typeof value === 'boolean' ? false : null]);
    expect(await world.events(sessionId)).toEqual(before);
    expect(await world.collected(sessionId)).toEqual([]);
  });

  it('a chatbot that is not enabled', async () => {
    expect(
      (await mutate('openSupportSession', { chatbotId: 'bot-9', channel: 'web', externalId: 'x' })).userErrors,
    ).toMatchObject([{ code: 'CHATBOT_NOT_ENABLED', field: 'chatbotId' }]);
  });

  it('an end-user attribute that is not text', async () => {
    expect(
      (
        await mutate('openSupportSession', {
          chatbotId: 'bot-1',
          channel: 'web',
          externalId: 'x',
          endUser: { attributes: { age: 3 } },
        })
      ).userErrors,
    ).toMatchObject([{ code: 'INPUT_INVALID', field: 'endUser.attributes.age' }]);
  });

  it('a key that was used for another input', async () => {
    const sessionId = await open();
    const idempotencyKey = key();
    await mutate('recordEndUserMessage', { sessionId, text: 'one', idempotencyKey });
    expect((await mutate('recordEndUserMessage', { sessionId, text: 'two', idempotencyKey })).userErrors).toMatchObject(
      [{ code: 'IDEMPOTENCY_KEY_REUSED' }],
    );
  });
});

describe('setup mutations', () => {
  it('enable an organization and a chatbot, change the policy field by field, and never show a credential', async () => {
    const as = caller('operator', 'org-set-up');
    const enabled = await mutate(
      'enableSupport',
      {
        provider: 'scripted',
        name: 'Set-up',
        settings: { region: 'eu' },
        credentials: { platformToken: 'hunter2' },
        owners: [{ name: 'Olga', email: 'olga@example.org' }],
      },
      as,
    );
    expect(enabled).toMatchObject({
      userErrors: [],
      manualSteps: [],
      account: { provider: 'scripted', state: 'READY' },
    });
    // The scripted provider stores a token of its own, `t-1`, in place of the given one.
    expect(enabled.account.credentialNames).toEqual(['token']);
    expect(JSON.stringify(enabled)).not.toMatch(/hunter2|t-1/);

    const inbox = await mutate(
      'enableChatbotSupport',
      { chatbotId: 'bot-s', name: 'Bot S', policy: { whileWaiting: 'BOT_MAY_ANSWER', lines: { queued: null } } },
      as,
    );
    expect(inbox).toMatchObject({
      userErrors: [],
      inbox: {
        name: 'Bot S',
        state: 'READY',
        chatbot: { id: 'bot-s' },
        policy: { whileWaiting: 'BOT_MAY_ANSWER', mirroring: 'ALWAYS', lines: { queued: null, ended: null } },
      },
    });
    const changed = await mutate(
      'updateSupportPolicy',
      { chatbotId: 'bot-s', policy: { mirroring: 'ON_HANDOFF', lines: { ended: 'Bye.' } } },
      as,
    );
    expect(changed).toMatchObject({
      userErrors: [],
      inbox: {
        policy: {
          whileWaiting: 'BOT_MAY_ANSWER',
          mirroring: 'ON_HANDOFF',
          lines: { queued: null, rejected: expect.any(String), ended: 'Bye.' },
        },
      },
    });

    const directory = await mutate('refreshSupportDirectory', { accountId: enabled.account.id }, as);
    expect(directory).toMatchObject({
      userErrors: [],
      teams: [
        { externalId: '47', name: 'billing' },
        { externalId: '48', name: 'sales' },
      ],
      agents: [{ externalId: 'alice', role: 'AGENT' }],
    });
    const [agent] = directory.agents;
    expect(await mutate('linkSupportAgent', { agentId: agent.id, userId: 'user-7' }, as)).toMatchObject({
      userErrors: [],
      agent: { user: { id: 'user-7', supportAgents: [{ externalId: 'alice' }] } },
    });
    expect(await mutate('linkSupportAgent', { agentId: agent.id }, as)).toMatchObject({ agent: { user: null } });
  });

  it.each([
    ['enableSupport', { provider: 'none', name: 'x' }, 'PROVIDER_UNKNOWN'],
    ['enableSupport', { provider: 'scripted', name: 'x', credentials: { token: 7 } }, 'INPUT_INVALID'],
    ['enableSupport', { provider: 'scripted', name: 'x', settings: 'x' }, 'INPUT_INVALID'],
    ['enableChatbotSupport', { chatbotId: 'bot-1', name: 'x', accountId: 'x' }, 'ACCOUNT_NOT_FOUND'],
    ['updateSupportPolicy', { chatbotId: 'bot-9', policy: {} }, 'CHATBOT_NOT_ENABLED'],
    ['refreshSupportDirectory', { accountId: '00000000-0000-4000-8000-000000000000' }, 'ACCOUNT_NOT_FOUND'],
    ['linkSupportAgent', { agentId: 'x', userId: 'u' }, 'AGENT_NOT_FOUND'],
  ] as const)('%s returns %p with %s', async (name, input, code) => {
    expect((await mutate(name, input, caller('operator'))).userErrors).toMatchObject([{ code }]);
  });

  it('know no chatbot of an organization that is not enabled', async () => {
    expect(
      (await mutate('enableChatbotSupport', { chatbotId: 'b', name: 'x' }, caller('operator', 'org-none'))).userErrors,
    ).toMatchObject([{ code: 'ORGANIZATION_NOT_ENABLED' }]);
  });
});

describe('authorization', () => {
  const RUNTIME: readonly Name[] = [
    'openSupportSession',
    'recordEndUserMessage',
    'sendBotMessage',
    'requestHandoff',
    'cancelHandoff',
    'closeSupportSession',
    'acknowledgeRuntimeDeliveries',
  ];
  const minimal: Record<Name, object> = {
    openSupportSession: { chatbotId: 'x', channel: 'web', externalId: 'x' },
    recordEndUserMessage: { sessionId: 'x', text: 'x', idempotencyKey: 'k' },
    sendBotMessage: { sessionId: 'x', epoch: 1, text: 'x', idempotencyKey: 'k' },
    requestHandoff: { sessionId: 'x', idempotencyKey: 'k' },
    cancelHandoff: { sessionId: 'x', idempotencyKey: 'k' },
    endHandoff: { sessionId: 'x', idempotencyKey: 'k' },
    closeSupportSession: { sessionId: 'x', idempotencyKey: 'k' },
    acknowledgeRuntimeDeliveries: { ids: [] },
    enableSupport: { provider: 'none', name: 'x' },
    enableChatbotSupport: { chatbotId: 'x', name: 'x', accountId: 'x' },
    updateSupportPolicy: { chatbotId: 'x', policy: {} },
    refreshSupportDirectory: { accountId: 'x' },
    linkSupportAgent: { agentId: 'x' },
  };
  it.each(Object.keys(MUTATIONS) as Name[])('decides who may call %s', async name => {
    const refused = RUNTIME.includes(name) ? ['ui'] : ['ui', 'bot'];
    for (const role of ['gateway', 'bot', 'ui', 'operator']) {
      const answer = await mutate(name, minimal[name], caller(role));
      if (refused.includes(role))
        expect(answer.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', retryable: false } }]);
      else expect([role, answer.errors]).toEqual([role, undefined]);
    }
  });

  it("hides another organization's objects, which cannot be changed", async () => {
    const session = await world.open();
    const { handoff } = await world.ask(session.id);
    const before = await world.events(session.id);
    const [account] = await world.stores.setup.listAccounts(ORG);
    const foreign: readonly [Name, object, string][] = [
      ['recordEndUserMessage', { sessionId: session.id, text: 'x', idempotencyKey: key() }, 'SESSION_NOT_FOUND'],
      ['sendBotMessage', { sessionId: session.id, epoch: 2, text: 'x', idempotencyKey: key() }, 'SESSION_NOT_FOUND'],
      ['requestHandoff', { sessionId: session.id, idempotencyKey: key() }, 'SESSION_NOT_FOUND'],
      ['cancelHandoff', { sessionId: session.id, idempotencyKey: key() }, 'SESSION_NOT_FOUND'],
      ['endHandoff', { handoffId: handoff.id, idempotencyKey: key() }, 'HANDOFF_NOT_FOUND'],
      ['closeSupportSession', { sessionId: session.id, idempotencyKey: key() }, 'SESSION_NOT_FOUND'],
      [
        'openSupportSession',
        { chatbotId: 'bot-1', channel: 'web', externalId: session.externalId },
        'CHATBOT_NOT_ENABLED',
      ],
      ['refreshSupportDirectory', { accountId: account!.id }, 'ACCOUNT_NOT_FOUND'],
      ['updateSupportPolicy', { chatbotId: 'bot-1', policy: {} }, 'CHATBOT_NOT_ENABLED'],
    ];
    for (const [name, input, code] of foreign) {
      const answer = await mutate(name, input, caller('gateway', 'org-2'));
      expect([name, answer.userErrors]).toEqual([name, [expect.objectContaining({ code })]]);
      expect(JSON.stringify(answer)).not.toContain(handoff.id === (input as any).handoffId ? session.id : handoff.id);
    }
    expect(await world.events(session.id)).toEqual(before);
  });
});

import { codeOf, ORG, scope } from '../../../src/testing/flow-world';
import { createPushWorld, type PushWorld } from '../../support/push-world';
import { startReceiver, type Answer, type Received } from '../../support/receiver';

let world: PushWorld;
beforeEach(async () => {
  world = await createPushWorld();
});
afterEach(() => world.close());

const HOUR = 3_600_000;
const waiting = async (sessionId: string) => (await world.inbox(sessionId)).length;
const once = (answer: Answer, then: Answer = 204) => {
  let isFirst = true;
  return () => {
    const now = isFirst ? answer : then;
    isFirst = false;
    return now;
  };
};
const texts = (received: readonly Received[]) => received.map(({ body }) => body.data.message.text);

describe('a registered endpoint', () => {
  it('gets its secret once, and nothing else before it is verified', async () => {
    const { endpoint, secret } = await world.flows.registerEndpoint(scope, {
      url: world.receiver.url,
      chatbotId: null,
    });
    expect(endpoint).toMatchObject({ state: 'UNVERIFIED', chatbotId: null, url: world.receiver.url, verifiedAt: null });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { id } = await world.open();
    await world.agentSays(id, 'hello');
    await world.push();
    expect([
      world.receiver.received,
      world.receiver.verifications,
      await world.sql("select from lane where destination = 'RUNTIME'"),
    ]).toEqual([[], [], []]);
    expect(JSON.stringify(await world.stores.endpoints.listByOrganization(ORG))).not.toContain(secret);
    expect(
      await world.sql('select from runtime_endpoint where secret_sealed like $1', [`%${secret.slice(6)}%`]),
    ).toEqual([]);
  });

  it('verifies itself with a signed challenge, and then receives what was pending, in order', async () => {
    const { id } = await world.open();
    await world.agentSays(id, 'one', 'two');
    const endpoint = await world.endpoint();
    expect(endpoint).toMatchObject({ state: 'ACTIVE', verifiedAt: '2026-11-22T12:00:00.000Z', firstFailureAt: null });
    const [verification] = world.receiver.verifications;
    expect([verification!.provenBy, verification!.body.type]).toEqual([
      world.receiver.secrets,
      'endpoint.verification',
    ]);
    expect(verification!.body.data).toEqual({
      endpointId: endpoint.id,
      chatbotId: null,
      challenge: expect.any(String),
    });
    await world.agentSays(id, 'three');
    await world.push();
    expect(world.receivedTexts()).toEqual(['one', 'two', 'three']);
    expect(world.receiver.received.every(({ provenBy }) => provenBy.length === 1)).toBe(true);
    expect(await waiting(id)).toBe(0);
  });

  it.each<[string, Answer]>([
    ['another challenge', { status: 200, body: '{"challenge":"guessed"}' }],
    ['no challenge', 204],
    ['no JSON', { status: 200, body: 'ok' }],
    ['an error', 500],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
    ['nothing', 'cut'],
  ])('that answers the challenge with %s is not used', async (_what, answer) => {
    world.receiver.verify = () => answer;
    expect(await codeOf(world.endpoint())).toBe('ENDPOINT_NOT_VERIFIED');
    const { id } = await world.open();
    await world.agentSays(id, 'hello');
    await world.push();
    expect(world.receiver.received).toEqual([]);
    expect((await world.stores.endpoints.listByOrganization(ORG)).map(({ state }) => state)).toEqual(['UNVERIFIED']);
  });

  it('is refused where there is one already, and where it cannot exist', async () => {
    const register = (url: string, chatbotId: string | null = null) =>
      codeOf(world.flows.registerEndpoint(scope, { url, chatbotId }));
    expect(await register(world.receiver.url)).toBeUndefined();
    expect(await register(world.receiver.url)).toBe('ENDPOINT_EXISTS');
    expect(await register(world.receiver.url, 'bot-1')).toBeUndefined();
    expect(await register(world.receiver.url, 'bot-1')).toBe('ENDPOINT_EXISTS');
    expect(await register(world.receiver.url, 'bot-of-nobody')).toBe('CHATBOT_NOT_ENABLED');
    expect(await register(world.receiver.url, '')).toBe('INPUT_INVALID');
    expect(await register('ftp://bot.example.com')).toBe('ENDPOINT_URL_REFUSED');
    expect(await register(`https://bot.example.com/${'x'.repeat(2_000)}`)).toBe('ENDPOINT_URL_REFUSED');
  });

  it('of another organization is unknown', async () => {
    const foreign = { organizationId: 'org-2' };
    const { id } = await world.endpoint();
    for (const act of [
      () => world.flows.enableEndpoint(foreign, id),
      () => world.flows.disableEndpoint(foreign, id),
      () => world.flows.removeEndpoint(foreign, id),
      () => world.flows.rotateEndpointSecret(foreign, { endpointId: id, previousValidSeconds: null }),
      () => world.flows.enableEndpoint(scope, 'no id'),
    ])
      expect(await codeOf(act())).toBe('ENDPOINT_NOT_FOUND');
    expect(await world.stores.endpoints.listByOrganization('org-2')).toEqual([]);
    expect((await world.endpointNow(id)).state).toBe('ACTIVE');
  });
});

describe('a push', () => {
  it('is retried under the same id, and delays its own session only', async () => {
    await world.endpoint();
    const [one, other] = [await world.open(), await world.open()];
    world.receiver.answer = ({ body }) =>
      body.data.message.text === 'one' && body.data.session.id === one.id && isDown ? 500 : 204;
    let isDown = true;
    await world.agentSays(one.id, 'one', 'two');
    await world.agentSays(other.id, 'theirs');
    await world.push();
    await world.agentSays(one.id, 'three');
    await world.push();
    expect(world.receivedTexts().sort()).toEqual(['one', 'theirs']);
    isDown = false;
    await world.passRetries();
    await world.push();
    const own = world.receiver.received.filter(({ body }) => body.data.session.id === one.id);
    expect(texts(own)).toEqual(['one', 'one', 'two', 'three']);
    expect(own[0]!.id).toBe(own[1]!.id);
    expect(new Set(own.map(({ id }) => id)).size).toBe(3);
    expect(own.map(({ body }) => body.data.deliveryId)).toEqual(own.map(({ id }) => id));
  });

  it('carries the id that the inbox shows', async () => {
    await world.endpoint();
    const { id } = await world.open();
    await world.agentSays(id, 'one');
    const shown = (await world.inbox(id)).map(delivery => delivery.id);
    await world.push();
    expect(world.receiver.received.map(call => call.id)).toEqual(shown);
  });

  it('is repeated by another replica when the first one dies, and the late response changes nothing', async () => {
    await world.endpoint();
    const { id } = await world.open();
    await world.agentSays(id, 'one', 'two');
    let arrived!: () => void;
    let letGo!: (answer: Answer) => void;
    const hasArrived = new Promise<void>(resolve => {
      arrived = resolve;
    });
    world.receiver.answer = () => {
      arrived();
      return new Promise<Answer>(resolve => {
        letGo = resolve;
      });
    };
    const dying = world.runner();
    await dying.tick();
    await hasArrived;
    world.receiver.answer = () => 204;
    await world.passRetries();
    await world.push();
    expect(world.receivedTexts()).toEqual(['one', 'one', 'two']);
    expect(world.receiver.received[0]!.id).toBe(world.receiver.received[1]!.id);
    letGo(500);
    await dying.waitUntilIdle();
    expect(await waiting(id)).toBe(0);
    expect(await world.sql("select from delivery where state <> 'DONE'")).toEqual([]);
  });

  it('that was accepted counts as acknowledged: the handoff ends and the bot has control again', async () => {
    await world.endpoint();
    const session = await world.open();
    await world.user(session.id, 'a person, please');
    const { handoff } = await world.ask(session.id, { resumeTarget: 'after-help', summary: 'wants a person' });
    await world.deliverAll();
    world.provider.set({ agent: 'alice' });
    world.provider.agentSays('I am here');
    await world.read(session.id);
    world.receiver.answer = ({ body }) =>
      body.type === 'message.created' && body.data.message.author === 'AGENT' ? 503 : 204;
    await world.push();
    world.provider.agentSays('goodbye');
    world.provider.set({ status: 'RESOLVED' });
    await world.read(session.id);
    expect((await world.handoff(handoff.id)).state).toBe('ENDING');
    world.receiver.answer = () => 204;
    await world.passRetries();
    await world.push();
    expect(
      world.receiver.received.map(
        ({ body: { type, data } }) => data.state ?? data.message?.text ?? data.outcome?.reason ?? type,
      ),
    ).toEqual([
      'QUEUED',
      'A colleague will be with you shortly.',
      'ACTIVE',
      'I am here',
      'I am here',
      'goodbye',
      'AGENT_RESOLVED',
    ]);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'AGENT_RESOLVED' });
    expect((await world.session(session.id)).control).toBe('BOT');
    expect(await waiting(session.id)).toBe(0);
  });

  it('waits as long as the response asks, and does not follow its redirect', async () => {
    const elsewhere = await startReceiver();
    try {
      await world.endpoint();
      const { id } = await world.open();
      await world.agentSays(id, 'one');
      world.receiver.answer = once(
        { status: 429, headers: { 'retry-after': '600' } },
        { status: 307, headers: { location: elsewhere.url } },
      );
      await world.push();
      expect((await world.retryDelays())[0]).toBeGreaterThan(590);
      await world.passRetries();
      await world.push();
      expect([world.receivedTexts(), elsewhere.received]).toEqual([['one', 'one'], []]);
      // The table's second wait.
      expect((await world.retryDelays())[0]).toBeGreaterThan(290);
    } finally {
      await elsewhere.close();
    }
  });

  it('is omitted when the runtime has collected its delivery meanwhile, and later ones no longer wait', async () => {
    await world.endpoint();
    const { id } = await world.open();
    await world.agentSays(id, 'one', 'two', 'three');
    world.receiver.answer = once(500);
    await world.push();
    const [first, second] = await world.inbox(id);
    expect(await world.retryDelays()).toHaveLength(1);
    await world.flows.acknowledge(scope, [first!.id, second!.id]);
    await world.push();
    expect(world.receivedTexts()).toEqual(['one', 'three']);
  });

  it("may overlap with the runtime's own acknowledgement", async () => {
    await world.endpoint();
    const { id } = await world.open();
    await world.agentSays(id, 'one', 'two');
    const [first] = await world.inbox(id);
    world.receiver.answer = async ({ body }) => {
      if (body.data.message.text !== 'one') return 204;
      await world.flows.acknowledge(scope, [first!.id]);
      return 500;
    };
    await world.push();
    expect(world.receivedTexts()).toEqual(['one', 'two']);
    expect(await world.sql('select state from delivery order by id')).toEqual([{ state: 'DONE' }, { state: 'DONE' }]);
  });
});

describe('rotating the secret', () => {
  it('signs with both secrets until the old one expires', async () => {
    const { id: endpointId } = await world.endpoint();
    const { endpoint, secret } = await world.flows.rotateEndpointSecret(scope, {
      endpointId,
      previousValidSeconds: null,
    });
    expect(endpoint.previousSecretExpiresAt).toBe('2026-11-23T12:00:00.000Z');
    world.receiver.secrets.push(secret);
    const { id } = await world.open();
    await world.agentSays(id, 'one');
    await world.push();
    world.time.ms += 24 * HOUR;
    await world.agentSays(id, 'two');
    await world.push();
    const [both, alone] = world.receiver.received;
    expect(both!.provenBy).toEqual(world.receiver.secrets);
    expect(String(both!.headers['webhook-signature']).split(' ')).toHaveLength(2);
    expect(alone!.provenBy).toEqual([secret]);
  });

  it('may be repeated by a caller who lost the response: receivers with the first secret still verify', async () => {
    const { id: endpointId } = await world.endpoint();
    const rotate = async (previousValidSeconds: number) => {
      world.receiver.secrets.push(
        (await world.flows.rotateEndpointSecret(scope, { endpointId, previousValidSeconds })).secret,
      );
    };
    for (let i = 0; i < 5; i++) await rotate(7_200);
    const { id } = await world.open();
    await world.agentSays(id, 'one');
    await world.push();
    expect(world.receiver.received[0]!.provenBy).toEqual(world.receiver.secrets.slice(1));
    await rotate(3_600);
    world.time.ms += HOUR;
    await world.agentSays(id, 'two');
    await world.push();
    expect(world.receiver.received[1]!.provenBy).toEqual(world.receiver.secrets.slice(-1));
  });

  it('can revoke the old one at once, and has limits', async () => {
    const { id: endpointId } = await world.endpoint();
    const rotate = (previousValidSeconds: number) =>
      world.flows.rotateEndpointSecret(scope, { endpointId, previousValidSeconds });
    world.receiver.secrets.push((await rotate(0)).secret);
    const { id } = await world.open();
    await world.agentSays(id, 'one');
    await world.push();
    expect(world.receiver.received[0]!.provenBy).toEqual([world.receiver.secrets[1]]);
    expect([await codeOf(rotate(-1)), await codeOf(rotate(604_801))]).toEqual(['INPUT_INVALID', 'INPUT_INVALID']);
  });
});

describe('the endpoint of a push', () => {
  it("is the chatbot's own once that is verified, and the organization's again when it is removed", async () => {
    const special = await startReceiver();
    try {
      await world.endpoint();
      const { id } = await world.open();
      const { endpoint, secret } = await world.flows.registerEndpoint(scope, { url: special.url, chatbotId: 'bot-1' });
      special.secrets.push(secret);
      await world.agentSays(id, 'one');
      await world.push();
      // What fails at one endpoint does not wait for its next attempt at the other.
      world.receiver.answer = () => 500;
      await world.agentSays(id, 'two');
      await world.push();
      await world.flows.enableEndpoint(scope, endpoint.id);
      await world.push();
      await world.agentSays(id, 'three');
      await world.push();
      expect([world.receivedTexts(), texts(special.received)]).toEqual([
        ['one', 'two'],
        ['two', 'three'],
      ]);
      await world.flows.removeEndpoint(scope, endpoint.id);
      expect(await codeOf(world.flows.enableEndpoint(scope, endpoint.id))).toBe('ENDPOINT_NOT_FOUND');
      world.receiver.answer = () => 204;
      await world.agentSays(id, 'four');
      await world.push();
      expect([world.receivedTexts(), texts(special.received)]).toEqual([
        ['one', 'two', 'four'],
        ['two', 'three'],
      ]);
    } finally {
      await special.close();
    }
  });

  it('is none when it is removed without another: everything stays in the inbox until one is registered', async () => {
    const { id: endpointId } = await world.endpoint();
    const { id } = await world.open();
    world.receiver.answer = () => 500;
    await world.agentSays(id, 'one');
    await world.push();
    await world.flows.removeEndpoint(scope, endpointId);
    await world.agentSays(id, 'two');
    await world.push();
    expect([
      await waiting(id),
      await world.sql("select from lane where destination = 'RUNTIME' and next_run_at is not null"),
      await world.sql('select from runtime_endpoint'),
    ]).toEqual([2, [], []]);
    world.receiver.answer = () => 204;
    await world.endpoint();
    await world.push();
    expect(world.receivedTexts()).toEqual(['one', 'one', 'two']);
  });
});

import { randomUUID } from 'node:crypto';
import { receiveChange } from '../../../src/core/flows/from-provider/receive-change';
import { scope } from '../../../src/testing/flow-world';
import { createPushWorld, agentMessage, type PushWorld } from '../../support/push-world';
import { overWebSocket } from '../graphql/following';
import { caller, startGraphqlApi, type GraphqlApi } from '../graphql/room';

const SECRET = 'a wrong price';
const FILE = {
  url: 'https://files.example/secret-file.pdf?signature=secret',
  name: 'secret-file.pdf',
  contentType: 'application/pdf',
  sizeBytes: 1,
};
const MESSAGE = 'id text content { caption } attachments { url name } deletedAt';

let world: PushWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createPushWorld();
  api = await startGraphqlApi(world);
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

/** An agent's message with a file that waits for the runtime. */
async function agentSays(sessionId: string): Promise<string> {
  const { result } = await world.stores.sessions.transact(scope.organizationId, sessionId, async tx => {
    const message = await tx.insertMessage({
      ...agentMessage(SECRET),
      providerMessageId: randomUUID(),
      attachments: [FILE],
      content: { kind: 'LOCATION', latitude: 1, longitude: 2, title: null, address: null, caption: SECRET },
    });
    await tx.appendEvent(
      { type: 'MESSAGE_RECORDED', messageId: message.id, author: 'AGENT', visibility: 'PUBLIC' },
      null,
      message.createdAt,
    );
    await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: message.id });
    return message;
  });
  return result.id;
}
async function agentDeletes(sessionId: string, messageId: string): Promise<void> {
  await world.stores.sessions.transact(scope.organizationId, sessionId, async tx =>
    receiveChange(tx, world.deps, {
      kind: 'messageDeleted',
      id: (await tx.findMessage(messageId))!.providerMessageId!,
    }),
  );
}
const emptied = { text: '', content: null, attachments: [], deletedAt: expect.any(String) };
/** The result contains the message, emptied, and nothing of its text, name or link. */
function expectEmptied(answer: unknown): void {
  expect(JSON.stringify(answer)).toContain('"deletedAt":"');
  expect(JSON.stringify(answer)).not.toMatch(/wrong price|secret/);
}

describe('a message that was deleted before the runtime collected it', () => {
  let sessionId: string;
  let messageId: string;
  beforeEach(async () => {
    sessionId = (await world.open()).id;
    messageId = await agentSays(sessionId);
    await agentDeletes(sessionId, messageId);
  });

  it('is empty in the runtime inbox, followed by its deletion', async () => {
    const { data } = await api.run(
      `query($id: ID!) { supportRuntimeInbox(sessionId: $id) { nodes { notice { __typename
      ... on SupportMessageNotice { message { ${MESSAGE} } } ... on SupportMessageDeletedNotice { message { ${MESSAGE} } } } } } }`,
      { id: sessionId },
    );
    expect(data.supportRuntimeInbox.nodes.map(({ notice }: any) => notice)).toEqual([
      { __typename: 'SupportMessageNotice', message: { id: messageId, ...emptied } },
      { __typename: 'SupportMessageDeletedNotice', message: { id: messageId, ...emptied } },
    ]);
  });

  it("is empty among the session's messages, events and replies, for every role", async () => {
    for (const role of ['bot', 'operator', 'gateway', 'ui']) {
      const { data, errors } = await api.run(
        `query($id: ID!) { supportSession(id: $id) {
        messages { nodes { ${MESSAGE} } } events { ... on SupportMessageRecorded { message { ${MESSAGE} } } ... on SupportMessageDeleted { message { ${MESSAGE} } } } } }`,
        { id: sessionId },
        caller(role),
      );
      expect(errors).toBeUndefined();
      expectEmptied(data);
    }
  });

  it('is empty for subscribers of deliveries and events', async () => {
    const following = [
      overWebSocket(
        api.url,
        caller('bot'),
      )(
        `subscription { supportRuntimeDeliveries(chatbotId: "bot-1") { session { id } notice { ... on SupportMessageNotice { message { ${MESSAGE} } } } } }`,
      ),
      overWebSocket(api.url, caller('ui'))(
        `subscription($id: ID!) { supportSessionEvents(sessionId: $id, after: 0) { event { ... on SupportMessageRecorded { message { ${MESSAGE} } } } } }`,
        { id: sessionId },
      ),
    ];
    try {
      for (const one of following)
        expectEmptied(await one.until(results => results.some(result => JSON.stringify(result).includes(messageId))));
    } finally {
      await Promise.all(following.map(one => one.leave()));
    }
  });
});

describe('a push', () => {
  const pushedOf = (messageId: string) =>
    world.receiver.received.filter(({ body }) => body.data.message?.id === messageId);
  async function pushAll(): Promise<void> {
    await world.push();
    await world.passRetries();
    await world.push();
  }
  beforeAll(async () => {
    await world.endpoint('bot-1');
    await pushAll();
  });

  it('that failed before the deletion is sent empty at its next attempt', async () => {
    const { id: sessionId } = await world.open();
    world.receiver.answer = () => 503;
    const messageId = await agentSays(sessionId);
    await world.push();
    expect(pushedOf(messageId).map(({ raw }) => raw)).toEqual([expect.stringContaining(SECRET)]);
    await agentDeletes(sessionId, messageId);
    world.receiver.answer = () => 204;
    await pushAll();
    const after = pushedOf(messageId).slice(1);
    expect(after.map(({ body }) => body.type)).toEqual(['message.created', 'message.deleted']);
    for (const { raw } of after) expectEmptied(JSON.parse(raw));
  });

  it('reads the text last: what is deleted at the same moment is sent empty', async () => {
    const { id: sessionId } = await world.open();
    const messageId = await agentSays(sessionId);
    const { deliveries } = world.stores;
    const asked = jest.spyOn(deliveries, 'isWaiting').mockImplementationOnce(async () => {
      await agentDeletes(sessionId, messageId);
      return true;
    });
    await pushAll();
    asked.mockRestore();
    expect(pushedOf(messageId).map(({ body }) => body.type)).toEqual(['message.created', 'message.deleted']);
    for (const { raw } of pushedOf(messageId)) expectEmptied(JSON.parse(raw));
  });
});

describe('a result that is stored for its idempotency key', () => {
  const RECORD = `mutation($input: RecordEndUserMessageInput!) { recordEndUserMessage(input: $input) { replayed message { ${MESSAGE} } } }`;
  const record = (input: object) => api.run(RECORD, { input }).then(({ data }) => data.recordEndUserMessage);

  it('omits the text of a message that was deleted since, and is otherwise the same', async () => {
    const { id: sessionId } = await world.open();
    const input = {
      sessionId,
      text: SECRET,
      attachments: [{ url: FILE.url, name: FILE.name, contentType: FILE.contentType }],
      idempotencyKey: world.nextKey(),
    };
    const first = await record(input);
    expect(await record(input)).toEqual({ ...first, replayed: true });
    await world.flows.deleteMessage(scope, {
      sessionId,
      messageId: first.message.id,
      callerMessageId: null,
      epoch: null,
      idempotencyKey: world.nextKey(),
    });
    const again = await record(input);
    expect(again).toEqual({ replayed: true, message: { id: first.message.id, ...emptied } });
    expectEmptied(again);
  });

  it('is stored without any text or links', async () => {
    const { id: sessionId } = await world.open();
    await record({
      sessionId,
      text: SECRET,
      attachments: [{ url: FILE.url, name: FILE.name, contentType: FILE.contentType }],
      idempotencyKey: world.nextKey(),
    });
    const kept = await world.sql<{ result: unknown }>(
      "select result from idempotency_key where operation = 'recordEndUserMessage'",
    );
    expect(kept.length).toBeGreaterThan(0);
    expect(JSON.stringify(kept)).not.toMatch(/wrong price|secret/);
  });
});

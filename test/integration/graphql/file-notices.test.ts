import { caller, createFlowWorld, ORG, startGraphqlApi, type FlowWorld, type GraphqlApi } from './room';

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

it('a file that does not reach the agents is named in the runtime inbox, with its reason and without its link', async () => {
  const { id: sessionId } = await world.open();
  const file = {
    url: 'https://files.example/film.mov?token=SECRET',
    name: 'film.mov',
    contentType: 'video/quicktime',
    sizeBytes: 1_000,
  };
  const { message } = await world.flows.recordEndUserMessage(
    { organizationId: ORG },
    { sessionId, text: 'a film', attachments: [file], messageId: null, idempotencyKey: 'one' },
  );
  await world.stores.sessions.transact(ORG, sessionId, async tx => {
    await tx.updateMessage(message.id, { attachments: [{ ...file, refused: 'FILE_TOO_LARGE' }] });
    await tx.enqueueForRuntime({ kind: 'FILE_NOT_DELIVERED', messageId: message.id, index: 0, code: 'FILE_TOO_LARGE' });
  });
  const ask = () =>
    api.run(
      'query($id: ID!) { supportRuntimeInbox(sessionId: $id) { nodes { notice { __typename ... on SupportFileNotDeliveredNotice { name code message { id text attachments { url } } } } } } }',
      { id: sessionId },
      caller('bot'),
    );
  const notice = async () => (await ask()).data.supportRuntimeInbox.nodes.map((one: any) => one.notice);
  expect(await notice()).toEqual([
    {
      __typename: 'SupportFileNotDeliveredNotice',
      name: 'film.mov',
      code: 'FILE_TOO_LARGE',
      message: { id: message.id, text: 'a film\n[film.mov]', attachments: [] },
    },
  ]);
  await world.flows.deleteMessage(
    { organizationId: ORG },
    { sessionId, messageId: message.id, callerMessageId: null, epoch: null, idempotencyKey: 'two' },
  );
  expect(await notice()).toEqual([
    {
      __typename: 'SupportFileNotDeliveredNotice',
      name: null,
      code: 'FILE_TOO_LARGE',
      message: { id: message.id, text: '', attachments: [] },
    },
  ]);
});

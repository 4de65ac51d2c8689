import { randomUUID } from 'node:crypto';
import { createFlowWorld, type FlowWorld, ORG, type GraphqlApi, startGraphqlApi } from './room';

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

const key = (): string => randomUUID();
const CONTENT = `content { __typename caption
  ... on SupportLocation { latitude longitude title address }
  ... on SupportContactCard { name organization phones emails }
  ... on SupportChoices { style items { title value } }
  ... on SupportCards { cards { title description pictureUrl actions { title url value } } }
  ... on SupportForm { fields { name label type isRequired placeholder options { title value } } } }`;
const MESSAGE = `message { id text editedAt deletedAt reactions { by emoji at } ${CONTENT} }`;

async function mutate(name: string, input: object, fields: string): Promise<any> {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`;
  const { body } = await api.run(
    `mutation ($input: ${type}) { ${name}(input: $input) { ${fields} userErrors { code field control epoch } } }`,
    { input },
  );
  return body.errors ? body : body.data[name];
}
const say = (sessionId: string, more: object) =>
  mutate('recordEndUserMessage', { sessionId, idempotencyKey: key(), ...more }, `replayed ${MESSAGE}`);
const open = async (): Promise<string> => (await world.open()).id;

it.each<[string, object, object]>([
  [
    'location',
    { location: { latitude: 48.2, longitude: 16.4, title: 'Office' } },
    { __typename: 'SupportLocation', latitude: 48.2, longitude: 16.4, title: 'Office', address: null },
  ],
  [
    'contact',
    { contact: { name: 'Jane', phones: ['+43 1'] } },
    { __typename: 'SupportContactCard', name: 'Jane', organization: null, phones: ['+43 1'], emails: [] },
  ],
  [
    'choices',
    { choices: { style: 'QUICK_REPLIES', items: [{ title: 'Red', value: 'r' }, { title: 'Blue' }] } },
    {
      __typename: 'SupportChoices',
      style: 'QUICK_REPLIES',
      items: [
        { title: 'Red', value: 'r' },
        { title: 'Blue', value: 'Blue' },
      ],
    },
  ],
  [
    'cards',
    { cards: [{ title: 'Shoe', actions: [{ title: 'Buy', url: 'https://a.example' }] }] },
    {
      __typename: 'SupportCards',
      cards: [
        {
          title: 'Shoe',
          description: null,
          pictureUrl: null,
          actions: [{ title: 'Buy', url: 'https://a.example', value: null }],
        },
      ],
    },
  ],
  [
    'form',
    {
      form: { fields: [{ name: 'size', label: 'Size', type: 'SELECT', isRequired: true, options: [{ title: 'S' }] }] },
    },
    {
      __typename: 'SupportForm',
      fields: [
        {
          name: 'size',
          label: 'Size',
          type: 'SELECT',
          isRequired: true,
          placeholder: null,
          options: [{ title: 'S', value: 'S' }],
        },
      ],
    },
  ],
])('a message stores and returns content: %s', async (_kind, content, answered) => {
  const sessionId = await open();
  const input = { text: 'Here:', content, idempotencyKey: key() };
  const first = await say(sessionId, input);
  expect(first).toMatchObject({
    userErrors: [],
    message: { content: { ...answered, caption: 'Here:' }, text: expect.stringMatching(/^Here:\n./) },
  });
  expect(await say(sessionId, input)).toEqual({ ...first, replayed: true });
  const { data } = await api.run(
    `query ($id: ID!) { supportSession(id: $id) { messages { nodes { text ${CONTENT} } } } }`,
    { id: sessionId },
  );
  expect(data.supportSession.messages.nodes).toEqual([{ text: first.message.text, content: first.message.content }]);
});

it('a message needs no text beside content, and accepts exactly one kind', async () => {
  const sessionId = await open();
  expect(await say(sessionId, { content: { location: { latitude: 1, longitude: 2 } } })).toMatchObject({
    message: { content: { caption: '' } },
    userErrors: [],
  });
  expect(await say(sessionId, {})).toMatchObject({ userErrors: [{ code: 'TEXT_EMPTY' }] });
  for (const content of [{}, { location: { latitude: 1, longitude: 2 }, cards: [{ title: 'Shoe' }] }])
    expect(await say(sessionId, { content })).toMatchObject({
      message: null,
      userErrors: [{ code: 'INPUT_INVALID', field: 'content' }],
    });
  expect(await say(sessionId, { content: { choices: { items: [{ title: 'Red' }, { title: '' }] } } })).toMatchObject({
    message: null,
    userErrors: [{ code: 'INPUT_INVALID', field: 'content.choices.items.1.title' }],
  });
});

it('the bot can send all kinds too', async () => {
  const sent = await mutate(
    'sendBotMessage',
    { sessionId: await open(), epoch: 1, content: { choices: { items: [{ title: 'Red' }] } }, idempotencyKey: key() },
    `delivered ${MESSAGE}`,
  );
  expect(sent).toMatchObject({ delivered: true, message: { text: '1. Red', content: { style: 'BUTTONS' } } });
});

it('a message can be edited, reacted to and deleted; the result and the events show it', async () => {
  const sessionId = await open();
  const {
    message: { id },
  } = await say(sessionId, { text: 'the 14th', messageId: 'turn-1' });
  const fields = `replayed session { epoch } ${MESSAGE}`;
  const edited = await mutate(
    'editSupportMessage',
    { sessionId, callerMessageId: 'turn-1', text: 'the 15th', idempotencyKey: key() },
    fields,
  );
  expect(edited).toMatchObject({
    userErrors: [],
    session: { epoch: 1 },
    message: { id, text: 'the 15th', editedAt: expect.any(String), content: null },
  });
  const reacted = await mutate(
    'reactToSupportMessage',
    { sessionId, messageId: id, by: 'BOT', emoji: '👀', epoch: 1, idempotencyKey: key() },
    fields,
  );
  expect(reacted).toMatchObject({
    userErrors: [],
    message: { reactions: [{ by: 'BOT', emoji: '👀', at: expect.any(String) }] },
  });
  expect(
    await mutate(
      'reactToSupportMessage',
      { sessionId, messageId: id, by: 'BOT', emoji: null, epoch: 1, idempotencyKey: key() },
      fields,
    ),
  ).toMatchObject({ message: { reactions: [] } });
  const gone = { sessionId, messageId: id };
  expect(
    await mutate('deleteSupportMessage', { ...gone, idempotencyKey: key() }, `alreadyDeleted ${fields}`),
  ).toMatchObject({ alreadyDeleted: false, userErrors: [], message: { deletedAt: expect.any(String) } });
  expect(
    await mutate('deleteSupportMessage', { ...gone, idempotencyKey: key() }, `alreadyDeleted ${fields}`),
  ).toMatchObject({ alreadyDeleted: true, userErrors: [] });
  expect(await mutate('editSupportMessage', { ...gone, text: 'x', idempotencyKey: key() }, fields)).toMatchObject({
    message: null,
    userErrors: [{ code: 'MESSAGE_DELETED', field: 'messageId' }],
  });

  const { data } = await api.run(
    `query ($id: ID!) { supportSession(id: $id) { events(after: 2) { __typename seq
    ... on SupportMessageEdited { message { id } } ... on SupportMessageReacted { by emoji message { id } } ... on SupportMessageDeleted { message { id } } } } }`,
    { id: sessionId },
  );
  expect(data.supportSession.events).toEqual([
    { __typename: 'SupportMessageEdited', seq: 3, message: { id } },
    { __typename: 'SupportMessageReacted', seq: 4, by: 'BOT', emoji: '👀', message: { id } },
    { __typename: 'SupportMessageReacted', seq: 5, by: 'BOT', emoji: null, message: { id } },
    { __typename: 'SupportMessageDeleted', seq: 6, message: { id } },
  ]);
});

it('the bot without control changes nothing, and is told who has control', async () => {
  const sessionId = await open();
  const { message } = await world.bot(sessionId, 'EUR 10');
  await world.ask(sessionId);
  expect(
    await mutate(
      'editSupportMessage',
      { sessionId, messageId: message.id, text: 'EUR 12', epoch: 1, idempotencyKey: key() },
      MESSAGE,
    ),
  ).toEqual({ message: null, userErrors: [{ code: 'CONTROL_LOST', field: 'epoch', control: 'NONE', epoch: 2 }] });
});

it('a stored result in an earlier form is still returned for its key', async () => {
  const sessionId = await open();
  const input = { text: 'hi', idempotencyKey: key() };
  await say(sessionId, input);
  await world.pool.query(
    `update idempotency_key set result = result::jsonb #- '{message,content}' #- '{message,reactions}' #- '{message,editedAt}' where key = $1`,
    [input.idempotencyKey],
  );
  expect(await say(sessionId, input)).toMatchObject({
    replayed: true,
    message: { content: null, reactions: [], editedAt: null },
  });
});

it('a handoff carries links for the agents', async () => {
  const sessionId = await open();
  await world.user(sessionId, 'a person please');
  const links = [
    { label: 'Order 47', url: 'https://shop.example/47' },
    { label: 'Profile', url: 'https://shop.example/u/1?tab=a b'.replace(' ', '%20') },
  ];
  const { handoff } = await mutate(
    'requestHandoff',
    { sessionId, reason: 'asked', links, idempotencyKey: key() },
    'handoff { id links { label url } }',
  );
  expect(handoff.links).toEqual(links);
  await world.deliverAll();
  expect(world.provider.shown()).toContain(
    'NOTE: Handed over by the bot.\nReason: asked\nOrder 47: https://shop.example/47\nProfile: https://shop.example/u/1?tab=a%20b',
  );
  expect(
    await mutate(
      'requestHandoff',
      { sessionId: await open(), links: [{ label: 'x', url: 'ftp://x' }], idempotencyKey: key() },
      'handoff { id }',
    ),
  ).toMatchObject({ handoff: null, userErrors: [{ code: 'INPUT_INVALID', field: 'links.0.url' }] });
  const withoutLinks = await world.ask(await open());
  expect((await world.stores.handoffs.get(ORG, withoutLinks.handoff.id))?.links).toEqual([]);
});

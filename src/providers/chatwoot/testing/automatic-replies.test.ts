import { createChatwootWorld, ORG, type ChatwootWorld, type ChatwootWorldOptions } from './chatwoot-world';
import { toObservation } from '../mapping';
import type { WireMessage } from '../wire';
import type { ChatwootVersion } from './double';

const VERSIONS: readonly ChatwootVersion[] = ['3.16', '4.10', '4.14'];
const scope = { organizationId: ORG };
let world: ChatwootWorld;
const open = async (options: ChatwootWorldOptions): Promise<void> => {
  world = await createChatwootWorld(options);
};
const inboxSettings = (settings: object) =>
  world.farSide.call('PATCH', `${world.accountPath}/inboxes/${world.inbox.externalId}`, world.admin, settings);
const drifted = async () =>
  (await world.flows.inspectDrift(scope, world.account.id))
    .filter(({ problem }) => problem !== null)
    .map(({ id }) => id.split(':').at(-1));

describe.each(VERSIONS)('an automatic reply of Chatwoot %s', version => {
  afterEach(() => world.close());

  it('is forwarded only if the policy says so, and is disabled by repair', async () => {
    await open({ version });
    await inboxSettings({ greeting_enabled: true, greeting_message: 'Welcome to us!', working_hours_enabled: true });
    expect((await drifted()).sort()).toEqual(['greeting_enabled', 'working_hours_enabled']);
    const sessionId = await world.openMirroredSession('hello');
    await world.runDueSyncs();
    expect((await world.messages(sessionId)).map(({ content }) => content)).toEqual(['hello', 'Welcome to us!']);
    expect(await world.collected(sessionId)).toEqual([]);
  });

  it('is forwarded as ours, once, whether its webhook comes first, twice or never', async () => {
    await open({ version, policy: { automaticReplies: 'FORWARD' } });
    await inboxSettings({ greeting_enabled: true, greeting_message: 'Welcome to us!' });
    world.double.duplicateWebhooks({});
    world.double.reorderWebhooks(2);
    const sessionId = await world.openMirroredSession('hello');
    world.double.reorderWebhooks(0);
    await world.runDueSyncs();
    for (let round = 0; round < 2; round++) await world.read(sessionId);
    expect(await world.collected(sessionId)).toEqual(['SYSTEM: Welcome to us!']);
    expect(await world.session(sessionId)).toMatchObject({ control: 'BOT', lastMessageSeq: 2 });

    world.double.dropWebhooks({ event: 'message_created', times: 10 });
    const lost = await world.openMirroredSession('hello');
    await world.double.whenIdle();
    await world.read(lost);
    expect(await world.collected(lost)).toEqual(['SYSTEM: Welcome to us!']);
  });

  it('outside working hours, likewise, and is not part of repeated history', async () => {
    await open({ version, policy: { automaticReplies: 'FORWARD' } });
    const closed = Array.from({ length: 7 }, (_, day) => ({ day_of_week: day, closed_all_day: true }));
    await inboxSettings({ working_hours_enabled: true, out_of_office_message: 'We are closed', working_hours: closed });
    const sessionId = await world.openMirroredSession('hello');
    await world.runDueSyncs();
    await world.ask(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.collected(sessionId)).filter(line => line.startsWith('SYSTEM'))).toEqual([
      'SYSTEM: We are closed',
      'SYSTEM: A colleague will be with you shortly.',
    ]);
    expect((await world.messages(sessionId)).map(({ content }) => content)).toEqual(['hello', 'We are closed']);
  });

  it("is left to the account's agents where the policy forwards it: drift, setup and repair ignore it", async () => {
    await open({ version, policy: { automaticReplies: 'FORWARD' } });
    await inboxSettings({
      greeting_enabled: true,
      greeting_message: 'Welcome to us!',
      working_hours_enabled: true,
      enable_auto_assignment: true,
    });
    expect(await drifted()).toEqual(['enable_auto_assignment']);
    await world.flows.repairDrift(scope, world.account.id, [
      `inbox:${world.inbox.id}:greeting_enabled`,
      `inbox:${world.inbox.id}:enable_auto_assignment`,
    ]);
    await world.enableAgain();
    expect(
      await world.farSide.get(`${world.accountPath}/inboxes/${world.inbox.externalId}`, world.admin),
    ).toMatchObject({ greeting_enabled: true, working_hours_enabled: true, enable_auto_assignment: false });
    await world.flows.updatePolicy(scope, 'bot-1', { automaticReplies: 'SUPPRESS' });
    expect((await drifted()).sort()).toEqual(['greeting_enabled', 'working_hours_enabled']);
  });
});

describe('a template', () => {
  const template = (more: Partial<WireMessage>): WireMessage => ({
    id: 447,
    content: 'Welcome to us!',
    message_type: 3,
    private: false,
    created_at: 1795381993,
    source_id: null,
    content_type: 'text',
    content_attributes: {},
    ...more,
  });
  const line = {
    kind: 'automaticReply',
    id: '447',
    source: { kind: 'PROVIDER', id: null },
    attachments: [],
    at: '2026-11-22T21:13:13.000Z',
    omittedContent: null,
  };

  it.each<[string, Partial<WireMessage>, string]>([
    ["text in nobody's name", {}, 'Welcome to us!'],
    ['that asks for something', { content_type: 'input_email' }, 'Welcome to us!'],
    ["in somebody's name", { sender: { id: 4, name: 'Alice', type: 'user' } }, 'Welcome to us!'],
    ['without words', { content: ' ' }, ''],
    ['of no content', { content: null }, ''],
  ])("in public, %s, is the provider's own line", (_what, more, text) => {
    expect(toObservation(template(more), 3)).toEqual({ ...line, text, content: null });
  });

  it.each<[string, Partial<WireMessage>]>([
    ['among agents', { private: true }],
    ['of unknown visibility', { private: undefined }],
  ])('%s is ignored', (_what, more) => {
    expect(toObservation(template(more), 3)).toMatchObject({ kind: 'ignored' });
  });

  it('that asks for a rating is a survey', () => {
    expect(toObservation(template({ content_type: 'input_csat' }), 3)).toMatchObject({ kind: 'survey' });
  });
});

import { ChatwootFixture } from './fixture';

let workshop: ChatwootFixture;
afterEach(() => workshop?.stop());

const inboxPath = () => `${workshop.account}/inboxes/${workshop.inbox.externalId}`;
const shown = () => workshop.farSide.get(inboxPath(), workshop.admin);

describe('enabling a chatbot again', () => {
  it("switches the inbox's round robin off that somebody switched on, so that a team's handoff stays the team's", async () => {
    workshop = await ChatwootFixture.ready();
    const alice = await workshop.addPerson('Alice', 'agent', true);
    workshop.double.setOnline(alice);
    const { externalId: teamId } = await workshop.provider.agentsAndTeams!.createTeam(
      workshop.access,
      { name: 'billing', autoAssign: false },
      workshop.signal(),
    );
    await workshop.farSide.call('PATCH', inboxPath(), workshop.admin, {
      enable_auto_assignment: true,
      csat_survey_enabled: true,
    });
    const handedOver = async () => {
      const conversation = await workshop.conversation();
      await workshop.open(conversation, { teamId });
      return (await workshop.readConversation(conversation)).meta.assignee?.id ?? null;
    };
    expect(await handedOver()).toBe(alice);
    await workshop.ensureInbox('Shop bot', workshop.inbox);
    expect(await shown()).toMatchObject({ enable_auto_assignment: false, csat_survey_enabled: true });
    expect(await handedOver()).toBeNull();
  });
});

describe("the secret that signs an inbox's webhooks, which only the inbox itself shows", () => {
  const inboxId = '7a6a1f0e-36a5-4b4a-9d7b-0b6f5b0a9c11';
  const secret = async () => (await shown()).secret as string;

  it('is known of an inbox that an earlier try made without living to tell, and after a change', async () => {
    workshop = await ChatwootFixture.open({ version: '4.14' });
    await workshop.ensureAccount();
    const made = await workshop.ensureInbox('Shop bot', undefined, inboxId);
    workshop.inbox = await workshop.ensureInbox('Shop bot', undefined, inboxId);
    expect(workshop.inbox).toEqual(made);
    expect(workshop.inbox.providerData['webhookSecret']).toBe(await secret());
    expect((await workshop.ensureInbox('Renamed', workshop.inbox, inboxId)).providerData['webhookSecret']).toBe(
      await secret(),
    );
  });

  it('is compared when it was reset', async () => {
    workshop = await ChatwootFixture.open({ version: '4.14' });
    await workshop.ensureAccount();
    workshop.inbox = await workshop.ensureInbox('Shop bot', undefined, inboxId);
    await workshop.farSide.call('POST', `${inboxPath()}/reset_secret`, workshop.admin);
    const { externalId, providerData } = workshop.inbox;
    const desired = {
      access: workshop.access,
      owners: [],
      teams: [],
      inboxes: [{ inboxId, chatbotId: 'bot', name: 'Shop bot', externalId, providerData, members: null }],
    };
    const { items } = await workshop.provider.drift!.inspectDrift(desired, workshop.signal());
    expect(items.filter(({ problem }) => problem !== null)).toMatchObject([
      { kind: 'INBOX_WEBHOOK_SECRET', observed: 'another than ours' },
    ]);
  });
});

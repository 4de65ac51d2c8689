import { ChatwootFixture } from './fixture';

let fixture: ChatwootFixture;
afterEach(() => fixture?.stop());

const inboxPath = () => `${fixture.account}/inboxes/${fixture.inbox.externalId}`;
const shown = () => fixture.farSide.get(inboxPath(), fixture.admin);

describe('enabling a chatbot again', () => {
  it("disables round robin on the inbox if somebody enabled it, so that a team's handoff stays the team's", async () => {
    fixture = await ChatwootFixture.ready();
    const alice = await fixture.addPerson('Alice', 'agent', true);
    fixture.double.setOnline(alice);
    const { externalId: teamId } = await fixture.provider.agentsAndTeams!.createTeam(
      fixture.access,
      { name: 'billing', autoAssign: false },
      fixture.signal(),
    );
    await fixture.farSide.call('PATCH', inboxPath(), fixture.admin, {
      enable_auto_assignment: true,
      csat_survey_enabled: true,
    });
    const handedOver = async () => {
      const conversation = await fixture.conversation();
      await fixture.open(conversation, { teamId });
      return (await fixture.readConversation(conversation)).meta.assignee?.id ?? null;
    };
    expect(await handedOver()).toBe(alice);
    await fixture.ensureInbox('Shop bot', fixture.inbox);
    expect(await shown()).toMatchObject({ enable_auto_assignment: false, csat_survey_enabled: true });
    expect(await handedOver()).toBeNull();
  });
});

describe("the secret that signs an inbox's webhooks, which only the inbox itself shows", () => {
  const inboxId = '7a6a1f0e-36a5-4b4a-9d7b-0b6f5b0a9c11';
  const secret = async () => (await shown()).secret as string;

  it('is learned from an inbox that an interrupted attempt created, and after a change', async () => {
    fixture = await ChatwootFixture.open({ version: '4.14' });
    await fixture.ensureAccount();
    const made = await fixture.ensureInbox('Shop bot', undefined, inboxId);
    fixture.inbox = await fixture.ensureInbox('Shop bot', undefined, inboxId);
    expect(fixture.inbox).toEqual(made);
    expect(fixture.inbox.providerData['webhookSecret']).toBe(await secret());
    expect((await fixture.ensureInbox('Renamed', fixture.inbox, inboxId)).providerData['webhookSecret']).toBe(
      await secret(),
    );
  });

  it('is compared when it was reset', async () => {
    fixture = await ChatwootFixture.open({ version: '4.14' });
    await fixture.ensureAccount();
    fixture.inbox = await fixture.ensureInbox('Shop bot', undefined, inboxId);
    await fixture.farSide.call('POST', `${inboxPath()}/reset_secret`, fixture.admin);
    const { externalId, providerData } = fixture.inbox;
    const desired = {
      access: fixture.access,
      owners: [],
      teams: [],
      inboxes: [{ inboxId, chatbotId: 'bot', name: 'Shop bot', externalId, providerData, members: null }],
    };
    const { items } = await fixture.provider.drift!.inspectDrift(desired, fixture.signal());
    expect(items.filter(({ problem }) => problem !== null)).toMatchObject([
      { kind: 'INBOX_WEBHOOK_SECRET', observed: 'another than ours' },
    ]);
  });
});

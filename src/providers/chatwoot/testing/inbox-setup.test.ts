import { Workshop } from './workshop';

let workshop: Workshop;
afterEach(() => workshop?.stop());

const inboxPath = () => `${workshop.account}/inboxes/${workshop.inbox.externalId}`;
const shown = () => workshop.farSide.get(inboxPath(), workshop.admin);

describe('enabling a chatbot again', () => {
  it('switches the inbox\'s round robin off that somebody switched on, so that a team\'s handoff stays the team\'s', async () => {
    workshop = await Workshop.ready();
    const alice = await workshop.addPerson('Alice', 'agent', true);
    workshop.double.setOnline(alice);
    const { externalId: teamId } = await workshop.provider.people!.makeTeam(workshop.access, 'billing', workshop.signal());
    await workshop.farSide.call('PATCH', inboxPath(), workshop.admin, { enable_auto_assignment: true, csat_survey_enabled: true });
    const handedOver = async () => {
      const conversation = await workshop.conversation();
      await workshop.open(conversation, { teamId });
      return (await workshop.show(conversation)).meta.assignee?.id ?? null;
    };
    expect(await handedOver()).toBe(alice);
    await workshop.ensureInbox('Shop bot', workshop.inbox);
    expect(await shown()).toMatchObject({ enable_auto_assignment: false, csat_survey_enabled: true });
    expect(await handedOver()).toBeNull();
  });
});

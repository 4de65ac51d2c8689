import { randomUUID } from 'node:crypto';
import { postedFile } from '../posted-file';
import type { ContractFixture } from '../contract-fixture';

const UNSUPPORTED = { code: 'UNSUPPORTED_BY_PROVIDER' };

/** The core never calls these. A provider that silently accepted them would hide a bug. */
export function absentCases(fixture: ContractFixture): void {
  const { teams, priorities, privateNotes, attachments, typing } = fixture.capabilities;

  if (!teams)
    it('lists no teams, and refuses one as a target', async () => {
      expect(await fixture.provider.listTeams(fixture.account, fixture.signal())).toEqual([]);
      await expect(fixture.openForAgents(await fixture.newConversation(), { teamId: '1' })).rejects.toMatchObject(
        UNSUPPORTED,
      );
    });

  if (!priorities)
    it('refuses a priority', async () => {
      await expect(fixture.openForAgents(await fixture.newConversation(), { priority: 'HIGH' })).rejects.toMatchObject(
        UNSUPPORTED,
      );
    });

  if (!privateNotes)
    it('refuses a note', async () => {
      const conversation = await fixture.newConversation();
      const note = {
        conversation,
        noteId: `handoff:${randomUUID()}`,
        text: 'inside only',
        mayExist: false,
        lookupAfter: null,
      };
      await expect(fixture.provider.postNote(note, fixture.signal())).rejects.toMatchObject(UNSUPPORTED);
      expect(await fixture.textsSeen(conversation)).toEqual([]);
    });

  if (!typing)
    it('has no verb for typing, or refuses it', async () => {
      const conversation = await fixture.newConversation();
      await expect(
        async () =>
          fixture.provider.sendTyping?.({ conversation, isTyping: true }, fixture.signal()) ??
          Promise.reject(Object.assign(new Error(), UNSUPPORTED)),
      ).rejects.toMatchObject(UNSUPPORTED);
    });

  if (!attachments)
    it('refuses a file', async () => {
      const conversation = await fixture.newConversation();
      await expect(
        fixture.post(fixture.message(conversation, 'with a file', { attachments: [postedFile()] })),
      ).rejects.toMatchObject(UNSUPPORTED);
      expect(await fixture.textsSeen(conversation)).toEqual([]);
    });
}

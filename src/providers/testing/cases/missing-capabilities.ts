import { randomUUID } from 'node:crypto';
import { postedFile } from '../posted-file';
import type { ContractFixture } from '../contract-fixture';

const UNSUPPORTED = { code: 'UNSUPPORTED_BY_PROVIDER' };

/** The core never calls these. A provider that silently accepted them would hide a bug. */
export function absentCases(stage: ContractFixture): void {
  const { teams, priorities, privateNotes, attachments, typing } = stage.capabilities;

  if (!teams)
    it('lists no teams, and does not take one as a target', async () => {
      expect(await stage.provider.listTeams(stage.account, stage.signal())).toEqual([]);
      await expect(stage.openForAgents(await stage.newConversation(), { teamId: '1' })).rejects.toMatchObject(
        UNSUPPORTED,
      );
    });

  if (!priorities)
    it('does not take a priority', async () => {
      await expect(stage.openForAgents(await stage.newConversation(), { priority: 'HIGH' })).rejects.toMatchObject(
        UNSUPPORTED,
      );
    });

  if (!privateNotes)
    it('does not take a note', async () => {
      const conversation = await stage.newConversation();
      const note = {
        conversation,
        noteId: `handoff:${randomUUID()}`,
        text: 'inside only',
        mayExist: false,
        lookupAfter: null,
      };
      await expect(stage.provider.postNote(note, stage.signal())).rejects.toMatchObject(UNSUPPORTED);
      expect(await stage.textsSeen(conversation)).toEqual([]);
    });

  if (!typing)
    it('has no verb for typing, or does not take it', async () => {
      const conversation = await stage.newConversation();
      await expect(
        async () =>
          stage.provider.sendTyping?.({ conversation, isTyping: true }, stage.signal()) ??
          Promise.reject(Object.assign(new Error(), UNSUPPORTED)),
      ).rejects.toMatchObject(UNSUPPORTED);
    });

  if (!attachments)
    it('does not take a file', async () => {
      const conversation = await stage.newConversation();
      await expect(
        stage.post(stage.message(conversation, 'with a file', { attachments: [postedFile()] })),
      ).rejects.toMatchObject(UNSUPPORTED);
      expect(await stage.textsSeen(conversation)).toEqual([]);
    });
}

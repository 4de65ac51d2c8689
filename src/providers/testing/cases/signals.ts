import type { ContractFixture } from '../contract-fixture';

/** Signals shown beside the conversation, such as typing and read marks. They never become messages. */
export function signalCases(stage: ContractFixture): void {
  it('marks what agents said as read, any number of times, if it can, and says nothing by it', async () => {
    const conversation = await stage.conversationWithAgents();
    await stage.harness.agentReplies(conversation, stage.ada, 'Read this.');
    for (let times = 0; times < 2; times++) await stage.provider.markRead?.(conversation, stage.signal());
    expect(await stage.textsSeen(conversation)).toEqual(['Read this.']);
    expect(await stage.agentSays(conversation)).toEqual(['Read this.']);
  });

  if (stage.capabilities.typing)
    it('shows that the end-user types, any number of times, and says nothing by it', async () => {
      const conversation = await stage.conversationWithAgents();
      await stage.post(stage.message(conversation, 'Hello?'));
      const before = await stage.harness.conversationState(conversation);
      for (const isTyping of [true, true, false, false])
        await stage.provider.sendTyping!({ conversation, isTyping }, stage.signal());
      expect(await stage.textsSeen(conversation)).toEqual(['Hello?']);
      expect(await stage.agentSays(conversation)).toEqual([]);
      expect(await stage.harness.conversationState(conversation)).toEqual(before);
    });
}

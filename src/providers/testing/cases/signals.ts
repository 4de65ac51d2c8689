import type { ContractFixture } from '../contract-fixture';

/** Signals shown beside the conversation, such as typing and read marks. They never become messages. */
export function signalCases(fixture: ContractFixture): void {
  it("marks agents' messages as read, any number of times, if it can, and posts nothing by it", async () => {
    const conversation = await fixture.conversationWithAgents();
    await fixture.harness.agentReplies(conversation, fixture.ada, 'Read this.');
    for (let times = 0; times < 2; times++) await fixture.provider.markRead?.(conversation, fixture.signal());
    expect(await fixture.textsSeen(conversation)).toEqual(['Read this.']);
    expect(await fixture.agentSays(conversation)).toEqual(['Read this.']);
  });

  if (fixture.capabilities.typing)
    it('shows that the end-user types, any number of times, and posts nothing by it', async () => {
      const conversation = await fixture.conversationWithAgents();
      await fixture.post(fixture.message(conversation, 'Hello?'));
      const before = await fixture.harness.conversationState(conversation);
      for (const isTyping of [true, true, false, false])
        await fixture.provider.sendTyping!({ conversation, isTyping }, fixture.signal());
      expect(await fixture.textsSeen(conversation)).toEqual(['Hello?']);
      expect(await fixture.agentSays(conversation)).toEqual([]);
      expect(await fixture.harness.conversationState(conversation)).toEqual(before);
    });
}

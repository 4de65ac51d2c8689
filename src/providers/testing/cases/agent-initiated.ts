import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { EndUserReference, WebhookHint } from '../../../core/ports/provider/webhook';
import type { ContractFixture } from '../contract-fixture';

const MOST_PAGES = 20;
/** Longer than the suite takes. */
const WITHIN_MS = 3_600_000;

/** How the core learns of conversations that agents start with our end-users. */
export function agentInitiatedCases(stage: ContractFixture): void {
  const there = ({ inbox, sessionId }: ConversationAccess): EndUserReference => ({
    inboxId: inbox.externalId,
    sessionId,
  });
  const saidTo = (hint: WebhookHint) => ('endUser' in hint ? hint.endUser : undefined);
  const hintAbout = async (conversation: ConversationAccess) =>
    stage.provider.parseWebhook(await stage.harness.webhookFor!(conversation));

  async function endUsersOfChanged(): Promise<Map<string, EndUserReference>> {
    const found = new Map<string, EndUserReference>();
    for (let page = 1, more = true; more; page++) {
      if (page > MOST_PAGES)
        throw new Error(
          `The provider still reports more changed conversations after ${MOST_PAGES} pages; its paging does not end.`,
        );
      const answer = await stage.provider.listChangedConversations!(
        { access: stage.account, withinMs: WITHIN_MS, page },
        stage.signal(),
      );
      for (const [id, endUser] of answer.endUsers ?? []) found.set(id, endUser);
      more = answer.hasMore;
    }
    return found;
  }

  it("says to whom a person speaks in public, by the far side's own webhook", async () => {
    const conversation = await stage.conversationWithAgents();
    await stage.harness.agentReplies(conversation, stage.ada, 'for you');
    expect(saidTo(await hintAbout(conversation))).toEqual(there(conversation));
  });

  it('says with whom a conversation is that an agent began, by webhook and among those that changed', async () => {
    const own = await stage.newConversation();
    const began = await stage.harness.agentBegins!(own, stage.ada, 'a word from us');
    expect(began.conversationId).not.toBe(own.conversationId);
    expect(await hintAbout(began)).toMatchObject({
      kind: 'conversation',
      conversationId: began.conversationId,
      endUser: there(own),
    });
    expect((await endUsersOfChanged()).get(began.conversationId)).toEqual(there(own));
  });

  it.each(['END_USER', 'BOT', 'SYSTEM'] as const)('names nobody when it is we who speak for the %s', async author => {
    const conversation = await stage.conversationWithAgents();
    await stage.post(stage.message(conversation, `from ${author}`, { author }));
    expect(saidTo(await hintAbout(conversation))).toBeUndefined();
  });

  if (stage.capabilities.privateNotes)
    it('names nobody when agents speak among themselves', async () => {
      const conversation = await stage.conversationWithAgents();
      await stage.harness.agentNotes(conversation, stage.ada, 'who is that?');
      expect(saidTo(await hintAbout(conversation))).toBeUndefined();
    });
}

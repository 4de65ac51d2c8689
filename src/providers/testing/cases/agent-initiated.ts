import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { EndUserReference, WebhookHint } from '../../../core/ports/provider/webhook';
import type { ContractFixture } from '../contract-fixture';

const MOST_PAGES = 20;
/** Longer than the suite takes. */
const WITHIN_MS = 3_600_000;

/** How the core learns of conversations that agents start with our end-users. */
export function agentInitiatedCases(fixture: ContractFixture): void {
  const there = ({ inbox, sessionId }: ConversationAccess): EndUserReference => ({
    inboxId: inbox.externalId,
    sessionId,
  });
  const saidTo = (hint: WebhookHint) => ('endUser' in hint ? hint.endUser : undefined);
  const hintAbout = async (conversation: ConversationAccess) =>
    fixture.provider.parseWebhook(await fixture.harness.webhookFor!(conversation));

  async function endUsersOfChanged(): Promise<Map<string, EndUserReference>> {
    const found = new Map<string, EndUserReference>();
    for (let page = 1, more = true; more; page++) {
      if (page > MOST_PAGES)
        throw new Error(
          `The provider still reports more changed conversations after ${MOST_PAGES} pages; its paging does not end.`,
        );
      const answer = await fixture.provider.listChangedConversations!(
        { access: fixture.account, withinMs: WITHIN_MS, page },
        fixture.signal(),
      );
      for (const [id, endUser] of answer.endUsers ?? []) found.set(id, endUser);
      more = answer.hasMore;
    }
    return found;
  }

  it('reports by its own webhook to whom an agent speaks in public', async () => {
    const conversation = await fixture.conversationWithAgents();
    await fixture.harness.agentReplies(conversation, fixture.ada, 'for you');
    expect(saidTo(await hintAbout(conversation))).toEqual(there(conversation));
  });

  it('reports the end-user of an agent-initiated conversation, by webhook and among changed conversations', async () => {
    const own = await fixture.newConversation();
    const began = await fixture.harness.agentBegins!(own, fixture.ada, 'a word from us');
    expect(began.conversationId).not.toBe(own.conversationId);
    expect(await hintAbout(began)).toMatchObject({
      kind: 'conversation',
      conversationId: began.conversationId,
      endUser: there(own),
    });
    expect((await endUsersOfChanged()).get(began.conversationId)).toEqual(there(own));
  });

  it.each(['END_USER', 'BOT', 'SYSTEM'] as const)('reports nobody when our own %s speaks', async author => {
    const conversation = await fixture.conversationWithAgents();
    await fixture.post(fixture.message(conversation, `from ${author}`, { author }));
    expect(saidTo(await hintAbout(conversation))).toBeUndefined();
  });

  if (fixture.capabilities.privateNotes)
    it('reports nobody when agents speak among themselves', async () => {
      const conversation = await fixture.conversationWithAgents();
      await fixture.harness.agentNotes(conversation, fixture.ada, 'who is that?');
      expect(saidTo(await hintAbout(conversation))).toBeUndefined();
    });
}

import { randomUUID } from 'node:crypto';
import type { ProviderMessageId } from '../../../core/ids';
import type { Observation } from '../../../core/ports/provider/observation';
import { onceEach, type ContractFixture } from '../contract-fixture';

/** More than twice the largest page that any known support system returns. */
const MANY = 260;

export function listenCases(fixture: ContractFixture): void {
  it("reports an agent's public message with the agent, as it was written", async () => {
    const conversation = await fixture.conversationWithAgents();
    await fixture.harness.agentReplies(conversation, fixture.ada, 'Hello *Eve*,\nhow can I help?');
    const { observations } = await fixture.listMessages(conversation);
    expect(observations.filter(found => found.kind === 'agentMessage')).toEqual([
      {
        kind: 'agentMessage',
        id: expect.any(String),
        agent: { externalId: fixture.ada.externalId, name: fixture.ada.name },
        text: 'Hello *Eve*,\nhow can I help?',
        attachments: [],
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    ]);
  });

  if (fixture.capabilities.privateNotes)
    it('reports a note as a note, without its text', async () => {
      const conversation = await fixture.conversationWithAgents();
      await fixture.harness.agentNotes(conversation, fixture.ada, 'this customer is difficult');
      const { observations } = await fixture.listMessages(conversation);
      expect(observations.filter(found => found.kind !== 'ignored')).toEqual([
        {
          kind: 'note',
          id: expect.any(String),
          agent: { externalId: fixture.ada.externalId, name: fixture.ada.name },
          at: expect.any(String),
        },
      ]);
      expect(JSON.stringify(observations)).not.toContain('difficult');
    });

  it('reports our own posts as echoes under our ids, whoever they speak for', async () => {
    const conversation = await fixture.newConversation();
    const ours = (['END_USER', 'BOT', 'AGENT', 'SYSTEM'] as const).map(author =>
      fixture.message(conversation, `from ${author}`, { author }),
    );
    const posted: string[] = [];
    for (const request of ours) posted.push(await fixture.post(request));
    const expected = ours.map((request, index) => ({ kind: 'echo', id: posted[index], ourId: request.message.id }));
    if (fixture.capabilities.privateNotes) {
      const noteId = `handoff:${randomUUID()}`;
      const id = await fixture.provider.postNote(
        { conversation, noteId, text: 'context', mayExist: false, lookupAfter: null },
        fixture.signal(),
      );
      expected.push({ kind: 'echo', id, ourId: noteId });
    }
    await fixture.harness.restart();
    const { observations } = await fixture.listMessages(conversation);
    expect(observations.filter(found => found.kind !== 'ignored')).toEqual(expected);
  });

  it('reports no message for assigning, snoozing, resolving, returning', async () => {
    const conversation = await fixture.conversationWithAgents();
    await fixture.harness.agentAssignsSelf(conversation, fixture.ada);
    await fixture.harness.snoozes(conversation, fixture.ada);
    await fixture.harness.resolves(conversation, fixture.ada);
    await fixture.openForAgents(conversation);
    await fixture.harness.returnsToBot(conversation, fixture.ada);
    const { observations } = await fixture.listMessages(conversation);
    expect(observations.filter(found => found.kind !== 'ignored')).toEqual([]);
  });

  it('reads in the order in which messages were written, and continues where it stopped', async () => {
    const conversation = await fixture.conversationWithAgents();
    await fixture.harness.agentReplies(conversation, fixture.ada, 'one');
    await fixture.post(fixture.message(conversation, 'two'));
    await fixture.harness.agentReplies(conversation, fixture.bob, 'three');
    const first = await fixture.listMessages(conversation);
    expect(
      first.observations.flatMap(found =>
        found.kind === 'agentMessage' ? [found.text] : found.kind === 'echo' ? ['echo'] : [],
      ),
    ).toEqual(['one', 'echo', 'three']);

    await fixture.harness.agentReplies(conversation, fixture.ada, 'four');
    await fixture.harness.restart();
    const second = await fixture.listMessages(conversation, first.after);
    const known = new Set(first.observations.map(found => found.id));
    expect(
      second.observations
        .filter(found => !known.has(found.id))
        .map(found => found.kind === 'agentMessage' && found.text),
    ).toEqual(['four']);
  });

  it('returns the same ids when the same position is read again', async () => {
    const conversation = await fixture.conversationWithAgents();
    await fixture.harness.agentReplies(conversation, fixture.ada, 'said once');
    const first = await fixture.listMessages(conversation);
    await fixture.harness.restart();
    expect((await fixture.listMessages(conversation)).observations).toEqual(first.observations);
    expect(
      (await fixture.listMessages(conversation, first.after)).observations.every(found =>
        first.observations.some(one => one.id === found.id),
      ),
    ).toBe(true);
  });

  it('returns nothing and keeps its position when nothing was written', async () => {
    const conversation = await fixture.newConversation();
    const empty = await fixture.listMessages(conversation);
    expect(empty.observations.filter(found => found.kind !== 'ignored')).toEqual([]);
    await fixture.openForAgents(conversation);
    await fixture.harness.agentReplies(conversation, fixture.ada, 'the first words');
    expect(await fixture.agentSays(conversation, empty.after)).toEqual(['the first words']);
  });

  it(`reads ${MANY} messages over several pages without a gap`, async () => {
    const conversation = await fixture.conversationWithAgents();
    const texts = Array.from({ length: MANY }, (_, index) => `reply ${index}`);
    for (const text of texts) await fixture.harness.agentReplies(conversation, fixture.ada, text);
    const { observations, after } = await fixture.listMessages(conversation);
    expect(onceEach(observations).flatMap(found => (found.kind === 'agentMessage' ? [found.text] : []))).toEqual(texts);
    await fixture.harness.agentReplies(conversation, fixture.ada, 'the last');
    expect((await fixture.agentSays(conversation, after)).at(-1)).toBe('the last');
  });

  if (fixture.capabilities.attachments)
    it("reports an agent's files with address, name, type and size", async () => {
      const conversation = await fixture.conversationWithAgents();
      const content = Buffer.from('89504e470d0a1a0a', 'hex');
      await fixture.harness.agentReplies(conversation, fixture.ada, 'as promised', [
        { name: 'plan.png', contentType: 'image/png', content },
        { name: 'terms.pdf', contentType: 'application/pdf', content: Buffer.from('%PDF-1.4\n') },
      ]);
      const said = (await fixture.listMessages(conversation)).observations.find(found => found.kind === 'agentMessage');
      expect(said).toMatchObject({
        text: 'as promised',
        attachments: [
          { url: expect.stringMatching(/./), name: 'plan.png', contentType: 'image/png', sizeBytes: content.length },
          { url: expect.stringMatching(/./), name: 'terms.pdf', contentType: 'application/pdf' },
        ],
      });
    });

  if (fixture.factory.skills.includes('holdsReply'))
    it('finds a reply that becomes visible late, while another agent writes', async () => {
      const conversation = await fixture.conversationWithAgents();
      await fixture.harness.agentReplies(conversation, fixture.ada, 'before');
      const held = await fixture.harness.holdsReply!(conversation, fixture.ada, 'held back');
      // Not awaited: a remote may make the second writer wait for the first. If it does not, some page contains the
      // second message while the first is still invisible.
      const overtaking = fixture.harness.agentReplies(conversation, fixture.bob, 'overtaking');
      const found: Observation[] = [];
      let after: ProviderMessageId | null = null;
      for (let syncCount = 0; syncCount < 50; syncCount++) {
        const page = await fixture.listMessages(conversation, after);
        found.push(...page.observations);
        after = page.after;
      }
      await held.commit();
      await overtaking;
      found.push(...(await fixture.listMessages(conversation, after)).observations);
      const said = onceEach(found).flatMap(one => (one.kind === 'agentMessage' ? [one.text] : []));
      expect(said.sort()).toEqual(['before', 'held back', 'overtaking']);
    });

  it.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', '{"event":'],
    ['a list', '[]'],
    ['a bare text', '"hello"'],
    ['null', 'null'],
    ['binary noise', '\u0000\u0001\u0002'],
  ])('rejects a webhook that contains %s', (_what, body) => {
    const request = {
      account: fixture.account,
      headers: { 'content-type': 'application/json' },
      rawBody: Buffer.from(body),
      receivedAt: Date.now(),
    };
    expect(() => fixture.provider.parseWebhook(request)).toThrow(
      expect.objectContaining({
        code: 'WEBHOOK_REJECTED',
        why: expect.stringMatching(/^(badSignature|stale|malformed)$/),
      }),
    );
  });

  if (fixture.factory.skills.includes('webhookFor'))
    it('learns the conversation from its own webhook', async () => {
      const conversation = await fixture.conversationWithAgents();
      await fixture.harness.agentReplies(conversation, fixture.ada, 'look here');
      expect(fixture.provider.parseWebhook(await fixture.harness.webhookFor!(conversation))).toMatchObject({
        kind: 'conversation',
        conversationId: conversation.conversationId,
      });
    });
}

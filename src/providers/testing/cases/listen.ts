import { randomUUID } from 'node:crypto';
import type { ProviderMessageId } from '../../../core/ids';
import type { Observation } from '../../../core/ports/provider/observation';
import { onceEach, type ContractFixture } from '../contract-fixture';

/** More than twice the largest page that any known support system returns. */
const MANY = 260;

export function listenCases(stage: ContractFixture): void {
  it("reports an agent's public words with the agent, as they were written", async () => {
    const conversation = await stage.conversationWithAgents();
    await stage.harness.agentReplies(conversation, stage.ada, 'Hello *Eve*,\nhow can I help?');
    const { observations } = await stage.listMessages(conversation);
    expect(observations.filter(found => found.kind === 'agentMessage')).toEqual([
      {
        kind: 'agentMessage',
        id: expect.any(String),
        agent: { externalId: stage.ada.externalId, name: stage.ada.name },
        text: 'Hello *Eve*,\nhow can I help?',
        attachments: [],
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    ]);
  });

  if (stage.capabilities.privateNotes)
    it('reports a note as a note, without its words', async () => {
      const conversation = await stage.conversationWithAgents();
      await stage.harness.agentNotes(conversation, stage.ada, 'this customer is difficult');
      const { observations } = await stage.listMessages(conversation);
      expect(observations.filter(found => found.kind !== 'ignored')).toEqual([
        {
          kind: 'note',
          id: expect.any(String),
          agent: { externalId: stage.ada.externalId, name: stage.ada.name },
          at: expect.any(String),
        },
      ]);
      expect(JSON.stringify(observations)).not.toContain('difficult');
    });

  it('reports our own posts as echoes under our ids, whoever they speak for', async () => {
    const conversation = await stage.newConversation();
    const ours = (['END_USER', 'BOT', 'AGENT', 'SYSTEM'] as const).map(author =>
      stage.message(conversation, `from ${author}`, { author }),
    );
    const posted: string[] = [];
    for (const request of ours) posted.push(await stage.post(request));
    const expected = ours.map((request, index) => ({ kind: 'echo', id: posted[index], ourId: request.message.id }));
    if (stage.capabilities.privateNotes) {
      const noteId = `handoff:${randomUUID()}`;
      const id = await stage.provider.postNote(
        { conversation, noteId, text: 'context', mayExist: false, lookupAfter: null },
        stage.signal(),
      );
      expected.push({ kind: 'echo', id, ourId: noteId });
    }
    await stage.harness.restart();
    const { observations } = await stage.listMessages(conversation);
    expect(observations.filter(found => found.kind !== 'ignored')).toEqual(expected);
  });

  it('says nothing of what is not speech: assigning, snoozing, resolving, returning', async () => {
    const conversation = await stage.conversationWithAgents();
    await stage.harness.agentAssignsSelf(conversation, stage.ada);
    await stage.harness.snoozes(conversation, stage.ada);
    await stage.harness.resolves(conversation, stage.ada);
    await stage.openForAgents(conversation);
    await stage.harness.returnsToBot(conversation, stage.ada);
    const { observations } = await stage.listMessages(conversation);
    expect(observations.filter(found => found.kind !== 'ignored')).toEqual([]);
  });

  it('reads in the order in which things were said, and goes on where it stopped', async () => {
    const conversation = await stage.conversationWithAgents();
    await stage.harness.agentReplies(conversation, stage.ada, 'one');
    await stage.post(stage.message(conversation, 'two'));
    await stage.harness.agentReplies(conversation, stage.bob, 'three');
    const first = await stage.listMessages(conversation);
    expect(
      first.observations.flatMap(found =>
        found.kind === 'agentMessage' ? [found.text] : found.kind === 'echo' ? ['echo'] : [],
      ),
    ).toEqual(['one', 'echo', 'three']);

    await stage.harness.agentReplies(conversation, stage.ada, 'four');
    await stage.harness.restart();
    const second = await stage.listMessages(conversation, first.after);
    const known = new Set(first.observations.map(found => found.id));
    expect(
      second.observations
        .filter(found => !known.has(found.id))
        .map(found => found.kind === 'agentMessage' && found.text),
    ).toEqual(['four']);
  });

  it('answers the same ids when the same place is read again', async () => {
    const conversation = await stage.conversationWithAgents();
    await stage.harness.agentReplies(conversation, stage.ada, 'said once');
    const first = await stage.listMessages(conversation);
    await stage.harness.restart();
    expect((await stage.listMessages(conversation)).observations).toEqual(first.observations);
    expect(
      (await stage.listMessages(conversation, first.after)).observations.every(found =>
        first.observations.some(one => one.id === found.id),
      ),
    ).toBe(true);
  });

  it('answers nothing and stays where it is when nothing was said', async () => {
    const conversation = await stage.newConversation();
    const empty = await stage.listMessages(conversation);
    expect(empty.observations.filter(found => found.kind !== 'ignored')).toEqual([]);
    await stage.openForAgents(conversation);
    await stage.harness.agentReplies(conversation, stage.ada, 'the first words');
    expect(await stage.agentSays(conversation, empty.after)).toEqual(['the first words']);
  });

  it(`reads ${MANY} messages over several pages without a gap`, async () => {
    const conversation = await stage.conversationWithAgents();
    const texts = Array.from({ length: MANY }, (_, index) => `reply ${index}`);
    for (const text of texts) await stage.harness.agentReplies(conversation, stage.ada, text);
    const { observations, after } = await stage.listMessages(conversation);
    expect(onceEach(observations).flatMap(found => (found.kind === 'agentMessage' ? [found.text] : []))).toEqual(texts);
    await stage.harness.agentReplies(conversation, stage.ada, 'the last');
    expect((await stage.agentSays(conversation, after)).at(-1)).toBe('the last');
  });

  if (stage.capabilities.attachments)
    it("reports an agent's files with address, name, type and size", async () => {
      const conversation = await stage.conversationWithAgents();
      const content = Buffer.from('89504e470d0a1a0a', 'hex');
      await stage.harness.agentReplies(conversation, stage.ada, 'as promised', [
        { name: 'plan.png', contentType: 'image/png', content },
        { name: 'terms.pdf', contentType: 'application/pdf', content: Buffer.from('%PDF-1.4\n') },
      ]);
      const said = (await stage.listMessages(conversation)).observations.find(found => found.kind === 'agentMessage');
      expect(said).toMatchObject({
        text: 'as promised',
        attachments: [
          { url: expect.stringMatching(/./), name: 'plan.png', contentType: 'image/png', sizeBytes: content.length },
          { url: expect.stringMatching(/./), name: 'terms.pdf', contentType: 'application/pdf' },
        ],
      });
    });

  if (stage.factory.skills.includes('holdsReply'))
    it('finds a reply that becomes visible late, while another agent writes', async () => {
      const conversation = await stage.conversationWithAgents();
      await stage.harness.agentReplies(conversation, stage.ada, 'before');
      const held = await stage.harness.holdsReply!(conversation, stage.ada, 'held back');
      // Not awaited: a remote may make the second writer wait for the first. If it does not, some page contains the
      // second message while the first is still invisible.
      const overtaking = stage.harness.agentReplies(conversation, stage.bob, 'overtaking');
      const found: Observation[] = [];
      let after: ProviderMessageId | null = null;
      for (let readings = 0; readings < 50; readings++) {
        const page = await stage.listMessages(conversation, after);
        found.push(...page.observations);
        after = page.after;
      }
      await held.commit();
      await overtaking;
      found.push(...(await stage.listMessages(conversation, after)).observations);
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
  ])('rejects a webhook that holds %s', (_what, body) => {
    const request = {
      account: stage.account,
      headers: { 'content-type': 'application/json' },
      rawBody: Buffer.from(body),
      receivedAt: Date.now(),
    };
    expect(() => stage.provider.parseWebhook(request)).toThrow(
      expect.objectContaining({
        code: 'WEBHOOK_REJECTED',
        why: expect.stringMatching(/^(badSignature|stale|malformed)$/),
      }),
    );
  });

  if (stage.factory.skills.includes('webhookFor'))
    it("is pointed to the conversation by the far side's own webhook", async () => {
      const conversation = await stage.conversationWithAgents();
      await stage.harness.agentReplies(conversation, stage.ada, 'look here');
      expect(stage.provider.parseWebhook(await stage.harness.webhookFor!(conversation))).toMatchObject({
        kind: 'conversation',
        conversationId: conversation.conversationId,
      });
    });
}

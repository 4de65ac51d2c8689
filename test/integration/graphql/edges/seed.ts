import { randomUUID } from 'node:crypto';
import type { ContentBody } from '../../../../src/core/content';
import type { EventBody } from '../../../../src/core/event';
import type { HandoffRecord } from '../../../../src/core/handoff';
import { accountOf, inboxOf, NOBODY_KNOWN, requested, said } from '../../persistence/store-world';
import { type FlowWorld, ORG } from '../room';

const AT = '2026-11-22T20:52:23.000Z';

/** Ids of one of each kind of entity. Each belongs to no other row. */
export interface Seeded {
  readonly [typename: string]: string;
}

/** Creates `count` accounts, each with one of everything that the schema reaches from there. */
export async function seed(world: FlowWorld, count: number): Promise<readonly Seeded[]> {
  const rows: Seeded[] = [];
  for (let i = 0; i < count; i += 1) rows.push(await seedOne(world, i));
  return rows;
}

async function seedOne(world: FlowWorld, i: number): Promise<Seeded> {
  const { setup } = world.stores;
  const problem = { code: 'PROVIDER_REFUSED', message: 'no' };
  const account = await setup.insertAccount(
    accountOf({
      provider: `provider-${i}`,
      problem,
      health: { state: 'UNREACHABLE', problem, checkedAt: AT, source: 'CHECK' },
    }),
  );
  const [team] = await setup.syncTeams(account, [{ externalId: `team-${i}`, name: `Team ${i}` }]);
  const [agent] = await setup.syncAgents(account, [
    { externalId: `agent-${i}`, name: `Agent ${i}`, email: `agent-${i}@example.com`, role: 'AGENT' },
  ]);
  await setup.linkAgentToUser(ORG, agent!.id, `user-${i}`);
  await setup.setTeamMembers(team!.id, [agent!.id]);
  const inbox = await setup.insertInbox(
    inboxOf(account, { chatbotId: `chatbot-${i}`, memberIds: [agent!.id], problem }),
  );
  const { session } = await world.stores.sessions.open({
    id: randomUUID(),
    organizationId: ORG,
    chatbotId: inbox.chatbotId,
    inboxId: inbox.id,
    channel: 'web',
    externalId: `edge-${i}`,
    endUser: NOBODY_KNOWN,
    at: AT,
  });
  const handoffs = await seedSession(world, session.id, team!.id, agent!.id);
  return {
    SupportAccount: account.id,
    SupportInbox: inbox.id,
    SupportTeam: team!.id,
    SupportAgent: agent!.id,
    SupportSession: session.id,
    Handoff: handoffs.ended,
    Chatbot: inbox.chatbotId,
    User: `user-${i}`,
    Organization: i === 0 ? ORG : `org-without-support-${i}`,
  };
}

const CONTENTS: readonly ContentBody[] = [
  { kind: 'LOCATION', latitude: 48, longitude: 16, title: null, address: null },
  { kind: 'CONTACT_CARD', name: 'Jane', organization: null, phones: [], emails: [] },
  { kind: 'CHOICES', style: 'BUTTONS', items: [{ title: 'Red', value: 'r' }] },
  {
    kind: 'CARDS',
    cards: [
      {
        title: 'Shoe',
        description: null,
        pictureUrl: null,
        actions: [{ title: 'Buy', url: 'https://shop.example', value: null }],
      },
    ],
  },
  {
    kind: 'FORM',
    fields: [
      {
        name: 'size',
        label: 'Size',
        type: 'SELECT',
        isRequired: false,
        placeholder: null,
        options: [{ title: '42', value: '42' }],
      },
    ],
  },
];

const survey: HandoffRecord['survey'] = {
  externalId: 'survey',
  url: null,
  question: 'How was it?',
  choices: [{ rating: 1, label: 'bad' }],
  offeredAt: AT,
  answer: { rating: 1, comment: null, at: AT },
};

async function seedSession(
  world: FlowWorld,
  sessionId: string,
  teamId: string,
  agentId: string,
): Promise<{ readonly ended: string }> {
  const ended = randomUUID();
  await world.stores.sessions.transact(ORG, sessionId, async tx => {
    const agent = { id: agentId, externalId: 'agent', name: 'Agent' };
    const target = { teamId, agentId };
    await tx.insertHandoff(
      requested({ id: ended, state: 'ENDED', endReason: 'AGENT_RESOLVED', target, agent, survey, endedAt: AT }),
    );
    const live = await tx.insertHandoff(requested({ state: 'ACTIVE', target, agent, requestedAt: AT }));
    await tx.updateSession({ liveHandoffId: live.id, control: 'HUMAN' });
    const first = await tx.insertMessage(said({ handoffId: ended }));
    const reply = await tx.insertMessage(
      said({
        author: 'AGENT',
        agentId,
        handoffId: ended,
        replyToMessageId: first.id,
        attachments: [{ url: 'https://files.example/a.png', name: 'a.png', contentType: 'image/png', sizeBytes: 1 }],
      }),
    );
    await tx.updateMessage(reply.id, { reactions: [{ by: 'END_USER', emoji: '+1', at: AT }] });
    for (const content of CONTENTS)
      await tx.insertMessage(said({ author: 'BOT', content: { ...content, caption: '' } }));
    for (const body of bodies(reply.id)) await tx.appendEvent(body, ended, AT);
    await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: reply.id });
    await tx.enqueueForRuntime({ kind: 'MESSAGE_DELETED', messageId: reply.id });
    for (const kind of ['SURVEY', 'HANDOFF_OUTCOME'] as const) await tx.enqueueForRuntime({ kind, handoffId: ended });
    await tx.enqueueForRuntime({ kind: 'FILE_NOT_DELIVERED', messageId: reply.id, index: 0, code: 'FILE_TOO_LARGE' });
    await tx.enqueueForRuntime({
      kind: 'MESSAGE_UNDELIVERED',
      messageId: first.id,
      code: 'PROVIDER_REFUSED',
      outcome: 'NOT_DELIVERED',
    });
    await tx.enqueueForRuntime({ kind: 'MESSAGE_DELIVERED', messageId: first.id });
    await tx.enqueueForRuntime({ kind: 'HANDOFF_STATE', handoffId: ended, state: 'ACTIVE' });
    await tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: reply.id });
  });
  await world.pool.query(
    "update delivery set state = 'PARKED', parked_at = now(), last_error_code = 'PROVIDER_REFUSED', attempts = 1, attempts_reported = 1 where session_id = $1 and destination = 'PROVIDER'",
    [sessionId],
  );
  // Opening has recorded the event without one.
  await world.pool.query("update event set handoff_id = $2 where session_id = $1 and type = 'SESSION_OPENED'", [
    sessionId,
    ended,
  ]);
  return { ended };
}

/** One of each type except `SESSION_OPENED`, which opening has created. */
const bodies = (messageId: string): readonly EventBody[] => [
  { type: 'SESSION_CLOSED' },
  { type: 'MESSAGE_RECORDED', messageId, author: 'AGENT', visibility: 'PUBLIC' },
  { type: 'CONTROL_CHANGED', control: 'HUMAN', epoch: 2, cause: 'AGENT_REPLIED' },
  { type: 'HANDOFF_CHANGED', from: null, to: 'REQUESTED', cause: 'REQUESTED', endReason: null, agentName: null },
  { type: 'MESSAGE_DELETED', messageId },
  { type: 'MESSAGE_EDITED', messageId },
  { type: 'MESSAGE_REACTED', messageId, by: 'END_USER', emoji: '+1' },
  { type: 'MESSAGE_STATE_CHANGED', messageId, state: 'READ' },
  { type: 'MESSAGES_READ', throughSeq: 1 },
  { type: 'AGENTS_READ', readAt: AT },
  { type: 'SURVEY_OFFERED' },
  { type: 'SURVEY_ANSWERED', rating: 1 },
  { type: 'DELIVERY_PARKED', deliveryId: '1', kind: 'POST_MESSAGE', code: 'PROVIDER_REFUSED', outcome: 'UNKNOWN' },
  { type: 'DELIVERY_RESENT', deliveryId: '1', kind: 'POST_MESSAGE', by: null },
  { type: 'DELIVERY_DISCARDED', deliveryId: '1', kind: 'POST_MESSAGE', reason: 'old', by: null },
  { type: 'RUNTIME_ENDPOINT_DISABLED', endpointId: '1', reason: 'FAILING', code: 'HTTP_500' },
];

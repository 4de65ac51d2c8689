import { canMove } from '../../handoff-transitions';
import { type HandoffAgent, type HandoffRecord } from '../../handoff';
import { isUuid, type ProviderAgentId, type ProviderMessageId } from '../../ids';
import type { MessageRecord } from '../../message';
import type { SessionTransaction, LockedSession, MessageRows, DeliveryQueue } from '../../ports/session-transaction';
import type { FileDeps, StoreDeps } from '../deps';
import { transitionHandoff, beginTakeover, updateControlWhileDraining } from '../handoff/transition';
import type { Observation } from '../../ports/provider/observation';
import { notifyAgents, receiveChange } from './receive-change';
import { shortenText } from '../../checks/text';
import { fitReceivedFiles } from '../../content/validate-attachments';
import { refusalReason } from '../../files';
import { instantOf } from '../../ports/clock';
import { isAfterReturn, endedHandoffOf, recordLastAgentMessage } from '../handoff/last-ending';
import { trustedLastView, isFromWhileDisabled } from '../handoff/while-disabled';
import { recordPosted } from '../undelivered';

export type AgentsByExternalId = ReadonlyMap<string, HandoffAgent>;
/** What a sync knows besides its observations. */
export interface SyncContext {
  readonly agents: AgentsByExternalId;
  /** Whether agents' files are archived. */
  readonly archivesFiles: boolean;
  /** The agent who has the conversation now. If omitted: not read, so the last known one. */
  readonly assigneeId?: ProviderAgentId | null;
}

/**
 * Records the agent of a message that arrived while the handoff ends, because the outcome names them, and keeps the bot
 * silent until the message is delivered.
 */
export async function receiveMessageWhileEnding(
  tx: SessionTransaction,
  deps: StoreDeps,
  live: HandoffRecord,
  agent: HandoffAgent,
): Promise<void> {
  await updateControlWhileDraining(tx, deps, live.agent === null ? await tx.updateHandoff(live.id, { agent }) : live);
}

/**
 * Notifies the author of a message to the end-user from while support was disabled. Other observations from then have
 * no effect.
 */
export async function receiveFromWhileDisabled(
  tx: SessionTransaction,
  deps: FileDeps,
  observation: Observation,
): Promise<void> {
  if (observation.kind === 'agentMessage' || observation.kind === 'unsupported')
    await receiveChange(tx, deps, {
      kind: 'unsupported',
      id: observation.id,
      description: 'support was switched off when you wrote it',
    });
  // A survey that was offered before is still answered.
  if (observation.kind === 'survey' && (await tx.findHandoffOfSurvey(observation.id)) !== null)
    await receiveChange(tx, deps, observation);
}

/** Returns whether retention removed the message's record, so that it is not new. */
export function isRemovedFromHistory({ session }: LockedSession, observation: Observation): boolean {
  const before = session.removedHistory?.messagesBefore ?? null;
  if (
    before === null ||
    !['agentMessage', 'unsupported', 'automaticReply'].includes(observation.kind) ||
    !('at' in observation)
  )
    return false;
  return observation.at !== undefined && Date.parse(observation.at) < Date.parse(before);
}

/** Applies one observation. Repeats stop at the provider's message id. */
export async function receiveObservation(
  tx: SessionTransaction,
  deps: FileDeps,
  observation: Observation,
  context: SyncContext,
): Promise<void> {
  if (observation.kind === 'ignored' || observation.kind === 'note') return;
  if (observation.kind === 'echo') {
    // Found before the poster could record it, because it died or was slower. The post is known from now on.
    const ours = isUuid(observation.ourId) ? await tx.findMessage(observation.ourId) : null;
    if (ours !== null && ours.providerMessageId === null) await recordPosted(tx, ours, observation.id);
    return;
  }
  if (isRemovedFromHistory(tx, observation)) return;
  if (isFromWhileDisabled(tx.inbox, observation)) return receiveFromWhileDisabled(tx, deps, observation);
  if (observation.kind !== 'agentMessage') return receiveChange(tx, deps, observation);
  if ((await tx.findMessageByProviderId(observation.id)) === null)
    await receiveAgentMessage(tx, deps, observation, context);
}

type AgentMessage = Extract<Observation, { readonly kind: 'agentMessage' }>;

/** Records an agent's new message, and begins or moves the handoff that it belongs to. */
async function receiveAgentMessage(
  tx: SessionTransaction,
  deps: FileDeps,
  observation: AgentMessage,
  { agents, archivesFiles, assigneeId = trustedLastView(tx.inbox, tx.session)?.agent?.externalId ?? null }: SyncContext,
): Promise<void> {
  const agent = agents.get(observation.agent.externalId) ?? { id: null, ...observation.agent };
  const attachments = fitReceivedFiles(observation.attachments, archivesFiles ? deps.files!.rules : null);
  // The conversation was returned, so the message begins something new instead of joining the handoff that still
  // drains.
  if (isAfterReturn(tx.session, tx.liveHandoff, observation.id))
    await transitionHandoff(tx, deps, tx.liveHandoff!, 'DRAINED');
  // The message was sent before the end of an ended handoff, so it begins nothing.
  const ended = endedHandoffOf(tx, deps.clock.now(), observation);
  let live = ended === null ? tx.liveHandoff : null;
  if (ended === null && live === null && tx.session.closedAt === null && tx.inbox.state !== 'DISABLED')
    live = await beginTakeover(tx, deps, 'ACTIVE', agent);
  const handoffId = ended ?? live?.id ?? null;
  const message = await tx.insertMessage({
    id: deps.clock.newId(),
    author: 'AGENT',
    visibility: 'PUBLIC',
    text: observation.text,
    content: observation.content ?? null,
    attachments,
    authorName: agent.name,
    agentId: agent.id,
    handoffId,
    callerMessageId: null,
    providerMessageId: observation.id,
    replyToMessageId:
      observation.replyTo == null ? null : ((await tx.findMessageByProviderId(observation.replyTo))?.id ?? null),
    createdAt: observation.at,
  });
  const at = instantOf(deps.clock.now());
  // The assigned agent keeps the session even if another agent replies.
  const isAssigned = live?.agent != null && live.agent.externalId === assigneeId;
  if (live !== null && canMove(live.state, 'AGENT_REPLIED'))
    await transitionHandoff(tx, deps, live, 'AGENT_REPLIED', { agent: isAssigned ? live.agent : agent });
  await tx.appendEvent(
    { type: 'MESSAGE_RECORDED', messageId: message.id, author: 'AGENT', visibility: 'PUBLIC' },
    handoffId,
    at,
  );
  await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: message.id });
  await recordLastAgentMessage(tx, handoffId, observation.id, agent);
  if (live?.state === 'ENDING') await receiveMessageWhileEnding(tx, deps, live, agent);
  if (archivesFiles) await archiveFiles(tx, observation.id, message);
  if (observation.omittedContent) await notifyAgents(tx, observation.id, observation.omittedContent);
}

/** Enqueues the archiving of a message's files. Notifies agents of the files that are refused. */
async function archiveFiles(
  tx: LockedSession & MessageRows & DeliveryQueue,
  about: ProviderMessageId,
  { id: messageId, attachments }: MessageRecord,
): Promise<void> {
  for (const [index, { name, refused }] of attachments.entries())
    await (refused
      ? notifyAgents(tx, about, `the file ${shortenText(name, 150)}, because ${refusalReason(refused)}`, index)
      : tx.enqueueFileWork({ kind: 'ARCHIVE_FILE', messageId, index }));
}

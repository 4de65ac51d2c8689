import type { PushedDelivery } from './delivery';
import type { HandoffRecord } from './handoff';
import { toExternalMessage, refusedFileName } from './external-message';
import type { Instant } from './ids';
import type { MessageRecord } from './message';
import { saidAtOf } from './said-at';
import type { SessionRecord } from './session';

/** The subject of a delivery, as it is at the time of the push. */
export interface PushSubject {
  readonly delivery: PushedDelivery;
  readonly session: SessionRecord;
  readonly message: MessageRecord | null;
  readonly handoff: HandoffRecord | null;
  /** Returns this service's link to a file of a message. */
  fileUrl(message: MessageRecord, index: number, name: string): string;
}

export interface RuntimeMessage {
  readonly type: string;
  readonly timestamp: Instant;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Renders the body of one push: the data that the runtime would read of this delivery in its inbox. docs/runtime.md
 * describes every field. Null: the subject no longer exists, so nothing is pushed.
 */
export function renderRuntimeMessage(pushed: PushSubject): RuntimeMessage | null {
  const { delivery, session } = pushed;
  const about = typeAndDataOf(pushed);
  return (
    about && {
      type: about.type,
      timestamp: delivery.createdAt,
      data: {
        deliveryId: delivery.id,
        organizationId: session.organizationId,
        chatbotId: session.chatbotId,
        session: {
          id: session.id,
          channel: session.channel,
          externalId: session.externalId,
          control: session.control,
          epoch: session.epoch,
          closedAt: session.closedAt,
        },
        ...about.data,
      },
    }
  );
}

function typeAndDataOf({
  delivery: { work },
  message,
  handoff,
  fileUrl,
}: PushSubject): { readonly type: string; readonly data: object } | null {
  switch (work.kind) {
    case 'MESSAGE':
      return message && { type: 'message.created', data: { message: messageData(message, fileUrl) } };
    case 'MESSAGE_DELETED':
      return message && { type: 'message.deleted', data: { message: messageData(message, fileUrl) } };
    case 'FILE_NOT_DELIVERED':
      return (
        message && {
          type: 'file.not_delivered',
          data: {
            file: { name: refusedFileName(message, work.index), code: work.code },
            message: messageData(message, fileUrl),
          },
        }
      );
    case 'MESSAGE_UNDELIVERED':
      return (
        message && {
          type: 'message.undelivered',
          data: { message: messageData(message, fileUrl), failure: { code: work.code, outcome: work.outcome } },
        }
      );
    case 'MESSAGE_DELIVERED':
      return message && { type: 'message.delivered', data: { message: messageData(message, fileUrl) } };
    case 'SURVEY':
      return handoff && { type: 'handoff.survey_offered', data: { handoff: handoffData(handoff) } };
    case 'HANDOFF_STATE':
      return handoff && { type: 'handoff.state_changed', data: { state: work.state, handoff: handoffData(handoff) } };
    case 'HANDOFF_OUTCOME':
      return (
        handoff && { type: 'handoff.ended', data: { outcome: outcomeData(handoff), handoff: handoffData(handoff) } }
      );
  }
}

function messageData(message: MessageRecord, fileUrl: PushSubject['fileUrl']): object {
  const { id, seq, author, authorName, agentId, handoffId, callerMessageId, replyToMessageId, deletedAt, createdAt } =
    message;
  const { text, files } = toExternalMessage(message);
  const attachments = files.map(({ file: { name, contentType, sizeBytes }, index }) => ({
    url: fileUrl(message, index, name),
    name,
    contentType,
    sizeBytes,
  }));
  return {
    id,
    seq,
    author,
    authorName,
    agentId,
    handoffId,
    text,
    attachments,
    callerMessageId,
    replyToMessageId,
    deletedAt,
    saidAt: saidAtOf(message),
    createdAt,
  };
}

const agentData = ({ agent }: HandoffRecord) =>
  agent && { id: agent.id, externalId: agent.externalId, name: agent.name };

const outcomeData = (handoff: HandoffRecord): object => ({
  state: handoff.state,
  reason: handoff.endReason,
  failureCode: handoff.failureCode,
  agent: agentData(handoff),
  resumeTarget: handoff.resumeTarget,
  summary: handoff.summary,
});

function handoffData(handoff: HandoffRecord): object {
  const {
    id,
    state,
    origin,
    reason,
    summary,
    intent,
    fields,
    priority,
    resumeTarget,
    endReason,
    failureCode,
    requestedAt,
    endedAt,
    survey,
  } = handoff;
  return {
    id,
    state,
    origin,
    reason,
    summary,
    intent,
    fields,
    priority,
    resumeTarget,
    agent: agentData(handoff),
    endReason,
    failureCode,
    requestedAt,
    endedAt,
    survey: survey && { url: survey.url, question: survey.question, choices: survey.choices },
  };
}

import type { MessageContent } from '../../content';
import { validateAttachments } from '../../content/validate-attachments';
import { validateMessageContent } from '../../content/validate-content';
import { botMayAnswer } from '../../control';
import { ConflictError, ControlLostError, InvalidInputError } from '../../errors';
import { isOpen } from '../../handoff';
import { limitsFor, markRefused } from '../../files';
import { withoutContent } from '../../external-message';
import type { Instant, SessionId } from '../../ids';
import type { Attachment, MessageAuthor, MessageRecord, MessageVisibility } from '../../message';
import { instantOf } from '../../ports/clock';
import type { IdempotencyScope } from '../../ports/session-store';
import type { SessionTransaction, MessageRows, LockedSession } from '../../ports/session-transaction';
import type { Flows } from '../api';
import type { WithIdempotencyKey, Scope } from '../api/scope';
import type {
  RecordEndUserMessageResult,
  RecordEndUserMessageInput,
  SendBotMessageResult,
  SendBotMessageInput,
} from '../api/messages';
import { validateSaidAt } from '../../said-at';
import type { FlowDeps, MutationDeps } from '../deps';
import { notifyFileNotDelivered } from '../to-runtime/file-refusal';
import { canonicalJson, comparableContent, withoutUrlSignatures } from '../canonical-json';

export function idempotencyScopeOf<T extends WithIdempotencyKey>(
  deps: Pick<FlowDeps, 'digest'>,
  scope: Scope,
  operation: string,
  input: T,
): IdempotencyScope {
  const { idempotencyKey, ...rest } = input;
  validateId(idempotencyKey, 'idempotencyKey');
  return {
    organizationId: scope.organizationId,
    operation,
    key: idempotencyKey,
    requestDigest: deps.digest(canonicalJson(withoutUrlSignatures(rest))),
  };
}

/**
 * Runs a mutation whose result contains a message. The result that is stored for the key contains no text and no links.
 * A repeat returns the current message, so that nothing of a deleted message returns. Throws the errors of `transact`
 * and `work`.
 */
export async function transactMessage<T extends { readonly message: MessageRecord }>(
  deps: Pick<FlowDeps, 'stores'>,
  { organizationId }: Scope,
  sessionId: SessionId,
  idempotency: IdempotencyScope,
  work: (tx: SessionTransaction) => Promise<T>,
): Promise<T & { readonly replayed: boolean }> {
  let current: MessageRecord | null = null;
  const { result, replayed } = await deps.stores.sessions.transact(
    organizationId,
    sessionId,
    async tx => {
      const done = await work(tx);
      current = done.message;
      return { ...done, message: withoutContent(done.message) };
    },
    idempotency,
  );
  if (replayed) current = await deps.stores.messages.get(organizationId, result.message.id);
  // Null: retention has removed the message. A key may be kept longer.
  return { ...result, message: current ?? withoutContent(result.message), replayed };
}

/** Validates a caller's id: 1 to `max` visible characters. */
export function validateId(id: string, field: string, max = 200): string {
  if (id.length > max)
    throw new InvalidInputError('ID_TOO_LONG', field, `${field} has ${id.length} characters; at most ${max} fit.`);
  if (id.trim() === '' || id.includes('\u0000'))
    throw new InvalidInputError(
      'INPUT_INVALID',
      field,
      `${field} is empty. Send a visible text of 1 to ${max} characters.`,
    );
  return id;
}

export function refuseClosed(tx: LockedSession): void {
  if (tx.session.closedAt !== null)
    throw new ConflictError(
      'SESSION_CLOSED',
      'sessionId',
      `Session ${tx.session.id} was closed at ${tx.session.closedAt}. Open a new one with another externalId.`,
    );
}

export const mayReply = (tx: Pick<SessionTransaction, 'session' | 'inbox'>): boolean =>
  tx.session.closedAt === null && botMayAnswer(tx.session.control, tx.inbox.policy.whileWaiting);

interface MessageToRecord {
  readonly author: MessageAuthor;
  readonly visibility: MessageVisibility;
  readonly text: string;
  readonly content: MessageContent | null;
  readonly attachments: readonly Attachment[];
  readonly saidAt: Instant | null;
  readonly callerMessageId: string;
  readonly replyToMessageId: string | null;
}

/** Returns the message that was recorded under this id before. @throws ConflictError if it was a different one */
async function findRecorded(
  tx: MessageRows,
  callerMessageId: string,
  author: MessageAuthor,
  said: Pick<MessageToRecord, 'text' | 'content'>,
): Promise<MessageRecord | null> {
  const message = await tx.findMessageByCallerId(callerMessageId);
  // An edited message no longer has its original text.
  const differs = (one: MessageRecord) =>
    one.author !== author || (one.version === 1 && comparableContent(one) !== comparableContent(said));
  if (message !== null && differs(message))
    throw new ConflictError(
      'IDEMPOTENCY_KEY_REUSED',
      'messageId',
      `Another message of this session already has the id ${callerMessageId}. Give each message, of the end-user or of the bot, its own id.`,
    );
  return message;
}

/** Returns whether the session is mirrored at the provider now, by policy or because of a live handoff. */
export const isMirrored = ({ inbox, liveHandoff }: Pick<SessionTransaction, 'inbox' | 'liveHandoff'>): boolean =>
  inbox.state !== 'DISABLED' &&
  (inbox.policy.mirroring === 'ALWAYS' || (liveHandoff !== null && isOpen(liveHandoff.state)));

/**
 * Records a runtime's message: one message, one event, the archiving of its files, and the delivery to the provider if
 * the session is mirrored.
 */
async function recordMessage(
  tx: SessionTransaction,
  deps: Pick<FlowDeps, 'clock' | 'files'>,
  said: MessageToRecord,
): Promise<MessageRecord> {
  const at = instantOf(deps.clock.now());
  const live = tx.liveHandoff;
  const { files } = deps;
  const attachments =
    files === undefined
      ? said.attachments
      : said.attachments.map(file => markRefused(file, limitsFor(said.author, files.rules)));
  const message = await tx.insertMessage({
    ...said,
    attachments,
    id: deps.clock.newId(),
    authorName: said.author === 'END_USER' ? tx.session.endUser.name : null,
    agentId: null,
    handoffId: live?.id ?? null,
    providerMessageId: null,
    createdAt: at,
  });
  await tx.appendEvent(
    { type: 'MESSAGE_RECORDED', messageId: message.id, author: message.author, visibility: message.visibility },
    message.handoffId,
    at,
  );
  // Links of channels expire, so files are fetched at once, whether or not agents have the conversation yet.
  if (files !== undefined)
    for (const [index, { refused }] of attachments.entries())
      await (refused
        ? notifyFileNotDelivered(tx, message.id, index, refused)
        : tx.enqueueFileWork({ kind: 'ARCHIVE_FILE', messageId: message.id, index }));
  if (isMirrored(tx)) await tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: message.id });
  return message;
}

/** Returns the replied-to message's id. @throws InvalidInputError if it is no message of this session */
async function validateReplyTo(tx: MessageRows, replyTo: string | null | undefined): Promise<string | null> {
  if (replyTo === null || replyTo === undefined) return null;
  const message = await tx.findMessage(replyTo);
  if (message === null)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'replyTo',
      'replyTo is no message of this session. Give the id that was returned for it.',
    );
  return message.id;
}

async function recordEndUserMessage(
  deps: MutationDeps,
  scope: Scope,
  input: RecordEndUserMessageInput,
): Promise<RecordEndUserMessageResult> {
  const attachments = validateAttachments(input.attachments);
  const { text, content } = validateMessageContent(input.text, input.content, attachments);
  const saidAt = validateSaidAt(input.saidAt, deps.clock.now());
  const callerMessageId = validateId(input.messageId ?? input.idempotencyKey, 'messageId');
  return transactMessage(
    deps,
    scope,
    input.sessionId,
    idempotencyScopeOf(deps, scope, 'recordEndUserMessage', input),
    async tx => {
      const before = await findRecorded(tx, callerMessageId, 'END_USER', { text, content });
      if (before !== null) return { message: before, session: tx.session, mayReply: mayReply(tx) };
      refuseClosed(tx);
      const message = await recordMessage(tx, deps, {
        author: 'END_USER',
        visibility: 'PUBLIC',
        text,
        content,
        attachments,
        saidAt,
        callerMessageId,
        replyToMessageId: await validateReplyTo(tx, input.replyTo),
      });
      return { message, session: tx.session, mayReply: mayReply(tx) };
    },
  );
}

async function sendBotMessage(
  deps: MutationDeps,
  scope: Scope,
  input: SendBotMessageInput,
): Promise<SendBotMessageResult> {
  const attachments = validateAttachments(input.attachments);
  const { text, content } = validateMessageContent(input.text, input.content, attachments);
  const saidAt = validateSaidAt(input.saidAt, deps.clock.now());
  const callerMessageId = validateId(input.messageId ?? input.idempotencyKey, 'messageId');
  return transactMessage(
    deps,
    scope,
    input.sessionId,
    idempotencyScopeOf(deps, scope, 'sendBotMessage', input),
    async tx => {
      const before = await findRecorded(tx, callerMessageId, 'BOT', { text, content });
      if (before !== null) return { message: before, session: tx.session, delivered: before.visibility === 'PUBLIC' };
      refuseClosed(tx);
      const holdsControl = input.epoch === tx.session.epoch && mayReply(tx);
      if (!holdsControl && input.onControlLost === 'REJECT')
        throw new ControlLostError(tx.session.control, tx.session.epoch);
      const visibility = holdsControl ? 'PUBLIC' : 'INTERNAL';
      const message = await recordMessage(tx, deps, {
        author: 'BOT',
        visibility,
        text,
        content,
        attachments,
        saidAt,
        callerMessageId,
        replyToMessageId: await validateReplyTo(tx, input.replyTo),
      });
      return { message, session: tx.session, delivered: holdsControl };
    },
  );
}

export function recordMessageFlows(deps: MutationDeps): Pick<Flows, 'recordEndUserMessage' | 'sendBotMessage'> {
  return {
    recordEndUserMessage: (scope, input) => recordEndUserMessage(deps, scope, input),
    sendBotMessage: (scope, input) => sendBotMessage(deps, scope, input),
  };
}

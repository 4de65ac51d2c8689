import type { MessageContent } from '../content';
import { checkedTurn } from '../content/check';
import { botMayAnswer } from '../control';
import { ConflictError, ControlLostError, InvalidInputError } from '../errors';
import { isOpen } from '../handoff';
import { checkSizes, type Attachment, type MessageAuthor, type MessageRecord, type MessageVisibility } from '../message';
import type { Instant } from '../ids';
import { instantOf } from '../ports/clock';
import type { IdempotencyScope, SessionTransaction } from '../ports/stores';
import type {
  Flows, Keyed, RecordEndUserMessageAnswer, RecordEndUserMessageInput, Scope, SendBotMessageAnswer, SendBotMessageInput,
} from './api';
import { checkedSaidAt } from '../said-at';
import type { FlowDeps } from './deps';

/** JSON with sorted keys, so that equal inputs have equal digests whatever their spelling. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`;
  return JSON.stringify(value) ?? 'null';
}

export function idempotencyOf<T extends Keyed>(deps: Pick<FlowDeps, 'digest'>, scope: Scope, operation: string, input: T): IdempotencyScope {
  const { idempotencyKey, ...rest } = input;
  checkedId(idempotencyKey, 'idempotencyKey');
  return { organizationId: scope.organizationId, operation, key: idempotencyKey, requestDigest: deps.digest(canonical(rest)) };
}

/** A caller's id: 1 to `max` visible characters. */
export function checkedId(id: string, field: string, max = 200): string {
  if (id.length > max) throw new InvalidInputError('ID_TOO_LONG', field, `${field} has ${id.length} characters; at most ${max} fit.`);
  if (id.trim() === '' || id.includes('\u0000')) throw new InvalidInputError('INPUT_INVALID', field, `${field} is empty; send a visible text of 1 to ${max} characters.`);
  return id;
}

export function refuseClosed(tx: SessionTransaction): void {
  if (tx.session.closedAt !== null)
    throw new ConflictError('SESSION_CLOSED', 'sessionId', `Session ${tx.session.id} was closed at ${tx.session.closedAt}; open a new one under another externalId.`);
}

export const mayReply = (tx: Pick<SessionTransaction, 'session' | 'inbox'>): boolean =>
  tx.session.closedAt === null && botMayAnswer(tx.session.control, tx.inbox.policy.whileWaiting);

interface Said {
  readonly author: MessageAuthor;
  readonly visibility: MessageVisibility;
  readonly text: string;
  readonly content: MessageContent | null;
  readonly attachments: readonly Attachment[];
  readonly saidAt: Instant | null;
  readonly callerMessageId: string;
  readonly replyToMessageId: string | null;
}

/** The turn that was recorded under this id before. @throws ConflictError when it was another one */
async function known(tx: SessionTransaction, callerMessageId: string, author: MessageAuthor, text: string): Promise<MessageRecord | null> {
  const message = await tx.messageByCallerId(callerMessageId);
  // Half a surrogate pair is stored as the replacement character. An edited turn no longer says what it was.
  const isAnother = (one: MessageRecord) => one.author !== author || (one.version === 1 && one.text !== text.replace(/\p{Surrogate}/gu, '\ufffd'));
  if (message !== null && isAnother(message))
    throw new ConflictError('IDEMPOTENCY_KEY_REUSED', 'messageId', `Another turn of this session has the id ${callerMessageId} already; each turn, of the end-user or of the bot, needs its own.`);
  return message;
}

/** Whether the provider has this Session now, by policy or because people have it. */
export const isMirrored = ({ inbox, liveHandoff }: Pick<SessionTransaction, 'inbox' | 'liveHandoff'>): boolean =>
  inbox.state !== 'DISABLED' && (inbox.policy.mirroring === 'ALWAYS' || (liveHandoff !== null && isOpen(liveHandoff.state)));

/** A runtime's turn: one message, one event, and the mirror's delivery where the policy wants one. */
async function record(tx: SessionTransaction, deps: Pick<FlowDeps, 'clock'>, said: Said): Promise<MessageRecord> {
  const at = instantOf(deps.clock.now());
  const live = tx.liveHandoff;
  const message = await tx.insertMessage({
    ...said, id: deps.clock.newId(), authorName: said.author === 'END_USER' ? tx.session.endUser.name : null, agentId: null,
    handoffId: live?.id ?? null, providerMessageId: null, createdAt: at,
  });
  await tx.appendEvent({ type: 'MESSAGE_RECORDED', messageId: message.id, author: message.author, visibility: message.visibility }, message.handoffId, at);
  if (isMirrored(tx))
    await tx.oweProvider({ kind: 'POST_MESSAGE', messageId: message.id });
  return message;
}

/** @throws InvalidInputError when it is no message of this Session */
async function answered(tx: SessionTransaction, replyTo: string | null | undefined): Promise<string | null> {
  if (replyTo === null || replyTo === undefined) return null;
  const message = await tx.message(replyTo);
  if (message === null) throw new InvalidInputError('INPUT_INVALID', 'replyTo', 'replyTo is no message of this session; give the id that we answered for it.');
  return message.id;
}

export function sayFlows(deps: FlowDeps): Pick<Flows, 'recordEndUserMessage' | 'sendBotMessage'> {
  return {
    async recordEndUserMessage(scope: Scope, input: RecordEndUserMessageInput): Promise<RecordEndUserMessageAnswer> {
      const { text, content } = checkedTurn(input.text, input.content, input.attachments);
      checkSizes(input.attachments);
      const saidAt = checkedSaidAt(input.saidAt, deps.clock.now());
      const callerMessageId = checkedId(input.messageId ?? input.idempotencyKey, 'messageId');
      const { answer, replayed } = await deps.stores.sessions.transact(scope.organizationId, input.sessionId, async tx => {
        const before = await known(tx, callerMessageId, 'END_USER', text);
        if (before !== null) return { message: before, session: tx.session, mayReply: mayReply(tx) };
        refuseClosed(tx);
        const message = await record(tx, deps, { author: 'END_USER', visibility: 'PUBLIC', text, content, attachments: input.attachments, saidAt, callerMessageId, replyToMessageId: await answered(tx, input.replyTo) });
        return { message, session: tx.session, mayReply: mayReply(tx) };
      }, idempotencyOf(deps, scope, 'recordEndUserMessage', input));
      return { ...answer, replayed };
    },

    async sendBotMessage(scope: Scope, input: SendBotMessageInput): Promise<SendBotMessageAnswer> {
      const { text, content } = checkedTurn(input.text, input.content, input.attachments);
      checkSizes(input.attachments);
      const saidAt = checkedSaidAt(input.saidAt, deps.clock.now());
      const callerMessageId = checkedId(input.messageId ?? input.idempotencyKey, 'messageId');
      const { answer, replayed } = await deps.stores.sessions.transact(scope.organizationId, input.sessionId, async tx => {
        const before = await known(tx, callerMessageId, 'BOT', text);
        if (before !== null) return { message: before, session: tx.session, delivered: before.visibility === 'PUBLIC' };
        refuseClosed(tx);
        const holdsControl = input.epoch === tx.session.epoch && mayReply(tx);
        if (!holdsControl && input.onControlLost === 'REJECT') throw new ControlLostError(tx.session.control, tx.session.epoch);
        const visibility = holdsControl ? 'PUBLIC' : 'INTERNAL';
        const message = await record(tx, deps, { author: 'BOT', visibility, text, content, attachments: input.attachments, saidAt, callerMessageId, replyToMessageId: await answered(tx, input.replyTo) });
        return { message, session: tx.session, delivered: holdsControl };
      }, idempotencyOf(deps, scope, 'sendBotMessage', input));
      return { ...answer, replayed };
    },
  };
}

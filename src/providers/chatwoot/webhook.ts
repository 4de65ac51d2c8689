import { createHmac, timingSafeEqual } from 'node:crypto';
import { WebhookRejectedError } from '../../core/request-errors';
import { isUuid } from '../../core/ids';
import type { EndUserReference, StateHint, WebhookHint, WebhookRequest } from '../../core/ports/provider/webhook';
import { STATUSES, viewOf } from './conversation';
import { OUR_ID_ATTRIBUTE } from './mapping';
import { botUserOf } from './settings';
import { parseWebhookBody, type WebhookBody as Body } from './webhook-body';

const SKEW_MS = 5 * 60_000;

export function parseWebhook(request: WebhookRequest): WebhookHint {
  const body = parseWebhookBody(request.rawBody);
  checkSignature(request, body);
  const ignored = (why: string): WebhookHint => ({ kind: 'ignored', reason: why });
  if (body.account?.id !== undefined && String(body.account.id) !== request.account.externalId)
    return ignored('of another account');

  const botUserId = botUserOf(request.account);
  switch (body.event) {
    // A `message_updated` may also be the first webhook that arrives about a message, if its `message_created` was
    // lost.
    case 'message_created':
    case 'message_updated':
      // The echo of our own post needs no sync, which would cost calls for every message. One that was marked as failed
      // does.
      if (!isMarkedAsFailed(body)) {
        if (typeof body.content_attributes?.[OUR_ID_ATTRIBUTE] === 'string') return ignored('our own post');
        if (body.private === true) return ignored('a note');
      }
      // A delivery status or another update that names no change, e.g. of all outgoing messages at once when the
      // end-user has read them.
      if (body.event === 'message_updated' && !changesMessage(body) && Number.isSafeInteger(body.id))
        return { ...messagesHint(body.conversation?.id), skipIfKnownId: String(body.id) };
      return changesMessage(body)
        ? { ...messagesHint(body.conversation?.id), changedMessageId: String(body.id) }
        : { ...messagesHint(body.conversation?.id), ...parseEndUser(body, botUserId) };
    case 'conversation_updated':
      return changesHandoff(body.changed_attributes)
        ? { ...conversationHint(body.id), ...withStateHint(parseChangedState(body.changed_attributes, botUserId)) }
        : ignored('a change that does not matter to a handoff');
    case 'conversation_created':
    case 'conversation_status_changed':
    case 'conversation_opened':
    case 'conversation_resolved':
      return { ...conversationHint(body.id), ...withStateHint(parseState(body, botUserId)) };
    case 'conversation_typing_on':
    case 'conversation_typing_off':
      return parseTyping(body, botUserId) ?? ignored('typing, but not by an agent in a public reply');
    default:
      return ignored(/^[a-z_]{1,60}$/.test(body.event) ? `event ${body.event}` : 'an unknown event');
  }
}

/** Converts a typing event. A contact, our end-users included, has no `type`; typing a note is for colleagues only. */
function parseTyping(
  { event, user, is_private: isPrivate, conversation }: Body,
  botUserId: number | undefined,
): WebhookHint | null {
  if (user?.type !== 'user' || !Number.isSafeInteger(user.id) || user.id === botUserId || isPrivate !== false)
    return null;
  return {
    kind: 'typing',
    conversationId: conversationHint(conversation?.id).conversationId,
    agentId: String(user.id),
    isTyping: event === 'conversation_typing_on',
  };
}

/**
 * Returns whether the message was deleted, got an answer (of a survey or form) or was marked as failed, so that it must
 * be read again even if it was read before.
 */
const changesMessage = ({ event, id, content_attributes: attributes }: Body): boolean =>
  event === 'message_updated' &&
  Number.isSafeInteger(id) &&
  // A removed mark leaves the key with null.
  (attributes?.['deleted'] === true ||
    attributes?.['submitted_values'] !== undefined ||
    typeof attributes?.['external_error'] === 'string');

const isMarkedAsFailed = ({ event, id, content_attributes: attributes }: Body): boolean =>
  event === 'message_updated' && Number.isSafeInteger(id) && typeof attributes?.['external_error'] === 'string';

function conversationHint(conversationId: unknown): Extract<WebhookHint, { kind: 'conversation' }> {
  if (!Number.isSafeInteger(conversationId))
    throw new WebhookRejectedError('malformed', 'The Chatwoot webhook names no conversation; it was refused.');
  return { kind: 'conversation', conversationId: String(conversationId) };
}

/**
 * Returns the end-user to whom an agent wrote: by our id on the contact, whatever contact inbox the conversation uses;
 * after contacts were merged, by the `source_id` alone.
 */
function parseEndUser(
  { message_type: type, sender, conversation }: Body,
  botUserId: number | undefined,
): { readonly endUser?: EndUserReference } {
  const sessionId = [conversation?.meta?.sender?.identifier, conversation?.contact_inbox?.source_id].find(
    (id): id is string => typeof id === 'string' && isUuid(id),
  );
  if (
    type !== 'outgoing' ||
    sender?.type !== 'user' ||
    sender.id === botUserId ||
    sessionId === undefined ||
    !Number.isSafeInteger(conversation?.inbox_id)
  )
    return {};
  return { endUser: { inboxId: String(conversation?.inbox_id), sessionId } };
}

/**
 * Returns a hint about messages only. Agents' changes to a conversation have events of their own, so a sync of the
 * messages, one call, is enough.
 */
const messagesHint = (conversationId: unknown) => ({ ...conversationHint(conversationId), about: 'MESSAGES' as const });

const HANDOFF_ATTRIBUTES = new Set(['status', 'assignee_id', 'assignee_agent_bot_id', 'team_id', 'snoozed_until']);

/** Most updates are noise: every reply of an agent or end-user also changes `waiting_since` and the like. */
function changesHandoff(changed: unknown): boolean {
  if (!Array.isArray(changed)) return true;
  return changed.flatMap((entry: unknown) => Object.keys(entry ?? {})).some(name => HANDOFF_ATTRIBUTES.has(name));
}

const withStateHint = (state: StateHint | null): { readonly stateHint?: StateHint } =>
  state === null ? {} : { stateHint: state };

/**
 * Returns only the state that an update changed. The rest of the body is from when it was built, which may be between
 * two of our own writes. Null: the change can only be known by reading.
 */
function parseChangedState(changed: unknown, botUserId: number | undefined): StateHint | null {
  if (!Array.isArray(changed)) return null;
  let state: StateHint = {};
  for (const [name, change] of changed.flatMap((entry: unknown) => Object.entries(entry ?? {}))) {
    const value = (change as { current_value?: unknown } | null)?.current_value;
    const id = value === null ? null : Number.isSafeInteger(value) ? String(value) : undefined;
    if (name === 'status') {
      const status = statusOf(value);
      if (status === undefined) return null;
      state = { ...state, status };
    } else if (name === 'assignee_id' && id !== undefined)
      state = { ...state, agentId: value === botUserId ? null : id };
    else if (name === 'team_id' && id !== undefined) state = { ...state, teamId: id };
    // The core does not store how long a conversation is snoozed.
    else if (name !== 'snoozed_until' && HANDOFF_ATTRIBUTES.has(name)) return null;
  }
  return state;
}

/** Returns the whole state, for events that do not name a change. Null if it cannot be interpreted. */
function parseState({ status, meta }: Body, botUserId: number | undefined): StateHint | null {
  const known = statusOf(status);
  if (known === undefined || meta == null || meta.assignee_type === 'AgentBot') return null;
  const { agent, teamId } = viewOf({ status: String(status), meta }, botUserId);
  return { status: known, agentId: agent?.externalId ?? null, teamId };
}

const statusOf = (status: unknown) =>
  typeof status === 'string' && Object.hasOwn(STATUSES, status) ? STATUSES[status] : undefined;

/**
 * Checks the signature. Since 4.13 each inbox signs with its own secret. The body itself names the inbox, which is
 * safe: a sender who names an inbox must have that inbox's secret. If no secret is known, the URL alone proves the
 * sender (4.10).
 */
function checkSignature({ inboxes = [], headers, rawBody, receivedAt }: WebhookRequest, body: Body): void {
  const claimed = String(body.inbox?.id ?? body.inbox_id ?? body.conversation?.inbox_id ?? '');
  const own = inboxes.filter(({ externalId }) => externalId === claimed);
  const secrets = (own.length > 0 ? own : inboxes)
    .map(({ providerData }) => providerData['webhookSecret'])
    .filter(secret => typeof secret === 'string');
  if (secrets.length === 0) return;

  const timestamp = headers['x-chatwoot-timestamp'] ?? '';
  const given = Buffer.from(headers['x-chatwoot-signature'] ?? '');
  const isSigned = secrets.some(secret => {
    const expected = Buffer.from(
      `sha256=${createHmac('sha256', secret).update(`${timestamp}.`).update(rawBody).digest('hex')}`,
    );
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!isSigned)
    throw new WebhookRejectedError(
      'badSignature',
      "The Chatwoot webhook is not signed with its inbox's secret. After reset_secret, enable support for the chatbot again.",
    );
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(receivedAt - Number(timestamp) * 1000) > SKEW_MS)
    throw new WebhookRejectedError(
      'stale',
      "The Chatwoot webhook's signature is more than five minutes old or ahead. Check the clocks of both servers.",
    );
}

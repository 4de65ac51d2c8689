import { createHmac, timingSafeEqual } from 'node:crypto';
import { WebhookRejectedError } from '../../core/errors';
import { isUuid } from '../../core/ids';
import type { EndUserThere, ShownState, WebhookHint, WebhookRequest } from '../../core/ports/support-provider';
import { STATUSES, viewOf } from './conversation';
import { MARK } from './mapping';
import { botUserOf } from './settings';
import { webhookBody, type WebhookBody as Body } from './webhook-body';

const SKEW_MS = 5 * 60_000;

export function parseWebhook(request: WebhookRequest): WebhookHint {
  const body = webhookBody(request.rawBody);
  checkSignature(request, body);
  const ignored = (why: string): WebhookHint => ({ kind: 'ignored', why });
  if (body.account?.id !== undefined && String(body.account.id) !== request.account.externalId) return ignored('of another account');

  const botUserId = botUserOf(request.account);
  switch (body.event) {
    // An update, besides all else, follows a message_created that we failed to take.
    case 'message_created':
    case 'message_updated':
      // The echo of a post of ours is nothing new, and looking would cost calls for every turn; one that turned red is.
      if (!isMarkedAsFailed(body)) {
        if (typeof body.content_attributes?.[MARK] === 'string') return ignored('our own post');
        if (body.private === true) return ignored('a note');
      }
      // A delivery status, and whatever else comes without a trace of itself: all outgoing messages at once when the end-user has read them.
      if (body.event === 'message_updated' && !changesWhatWasSaid(body) && Number.isSafeInteger(body.id)) return { ...wordsOf(body.conversation?.id), unlessKnown: String(body.id) };
      return changesWhatWasSaid(body) ? { ...wordsOf(body.conversation?.id), changedMessageId: String(body.id) } : { ...wordsOf(body.conversation?.id), ...saidTo(body, botUserId) };
    case 'conversation_updated':
      return changesHandoff(body.changed_attributes) ? { ...lookAt(body.id), ...shows(changedTo(body.changed_attributes, botUserId)) } : ignored('a change that does not matter to a handoff');
    case 'conversation_created':
    case 'conversation_status_changed':
    case 'conversation_opened':
    case 'conversation_resolved':
      return { ...lookAt(body.id), ...shows(stateIn(body, botUserId)) };
    case 'conversation_typing_on':
    case 'conversation_typing_off':
      return typingIn(body, botUserId) ?? ignored('somebody types, and it is no person who writes to the end-user');
    default:
      return ignored(/^[a-z_]{1,60}$/.test(body.event) ? `event ${body.event}` : 'an unknown event');
  }
}

/** A contact has no `type`, our own end-users included; a note is for colleagues. */
function typingIn({ event, user, is_private: isPrivate, conversation }: Body, botUserId: number | undefined): WebhookHint | null {
  if (user?.type !== 'user' || !Number.isSafeInteger(user.id) || user.id === botUserId || isPrivate !== false) return null;
  return { kind: 'typing', conversationId: lookAt(conversation?.id).conversationId, agentId: String(user.id), isTyping: event === 'conversation_typing_on' };
}

/** Taken back, answered, or marked as failed: it may have been read before. */
const changesWhatWasSaid = ({ event, id, content_attributes: attributes }: Body): boolean =>
  event === 'message_updated' && Number.isSafeInteger(id) &&
  // A mark that was taken off leaves the key with null.
  (attributes?.['deleted'] === true || attributes?.['submitted_values'] !== undefined || typeof attributes?.['external_error'] === 'string');

const isMarkedAsFailed = ({ event, id, content_attributes: attributes }: Body): boolean =>
  event === 'message_updated' && Number.isSafeInteger(id) && typeof attributes?.['external_error'] === 'string';

function lookAt(conversationId: unknown): Extract<WebhookHint, { kind: 'conversation' }> {
  if (!Number.isSafeInteger(conversationId)) throw new WebhookRejectedError('malformed', 'A Chatwoot webhook names no conversation.');
  return { kind: 'conversation', conversationId: String(conversationId) };
}

/** To whom a person has said something: our id on the contact, whichever way into the inbox was made for it; after a merge of contacts on ours alone. */
function saidTo({ message_type: type, sender, conversation }: Body, botUserId: number | undefined): { readonly saidTo?: EndUserThere } {
  const sessionId = [conversation?.meta?.sender?.identifier, conversation?.contact_inbox?.source_id].find((id): id is string => typeof id === 'string' && isUuid(id));
  if (type !== 'outgoing' || sender?.type !== 'user' || sender.id === botUserId || sessionId === undefined || !Number.isSafeInteger(conversation?.inbox_id)) return {};
  return { saidTo: { inboxId: String(conversation?.inbox_id), sessionId } };
}

/** What people do to a conversation has an event of its own: the words alone are one call. */
const wordsOf = (conversationId: unknown) => ({ ...lookAt(conversationId), about: 'MESSAGES' as const });

const MATTERS = new Set(['status', 'assignee_id', 'assignee_agent_bot_id', 'team_id', 'snoozed_until']);

/** Every reply and every answer to one also changes `waiting_since` and the like: most updates are noise. */
function changesHandoff(changed: unknown): boolean {
  if (!Array.isArray(changed)) return true;
  return changed.flatMap((entry: unknown) => Object.keys(entry ?? {})).some((name) => MATTERS.has(name));
}

const shows = (state: ShownState | null): { readonly shows?: ShownState } => (state === null ? {} : { shows: state });

/**
 * What an update changed, and nothing else of it: the rest of the body is from the moment when it was built, which may lie
 * between two writes of ours. Null: something that only reading tells.
 */
function changedTo(changed: unknown, botUserId: number | undefined): ShownState | null {
  if (!Array.isArray(changed)) return null;
  let state: ShownState = {};
  for (const [name, change] of changed.flatMap((entry: unknown) => Object.entries(entry ?? {}))) {
    const value = (change as { current_value?: unknown } | null)?.current_value;
    const id = value === null ? null : Number.isSafeInteger(value) ? String(value) : undefined;
    if (name === 'status') {
      const status = statusOf(value);
      if (status === undefined) return null;
      state = { ...state, status };
    } else if (name === 'assignee_id' && id !== undefined) state = { ...state, agentId: value === botUserId ? null : id };
    else if (name === 'team_id' && id !== undefined) state = { ...state, teamId: id };
    // How long it sleeps is nothing that we keep.
    else if (name !== 'snoozed_until' && MATTERS.has(name)) return null;
  }
  return state;
}

/** The whole state, of events that do not say what changed. Null: not to be understood. */
function stateIn({ status, meta }: Body, botUserId: number | undefined): ShownState | null {
  const known = statusOf(status);
  if (known === undefined || meta == null || meta.assignee_type === 'AgentBot') return null;
  const { agent, teamId } = viewOf({ status: String(status), meta }, botUserId);
  return { status: known, agentId: agent?.externalId ?? null, teamId };
}

const statusOf = (status: unknown) => (typeof status === 'string' && Object.hasOwn(STATUSES, status) ? STATUSES[status] : undefined);

/**
 * From 4.13 on each inbox signs with its own secret. The body itself says whose it is; that is safe, because whoever
 * claims an inbox must have that inbox's secret. Without a known secret the URL alone proves the sender (4.10).
 */
function checkSignature({ inboxes = [], headers, rawBody, receivedAt }: WebhookRequest, body: Body): void {
  const claimed = String(body.inbox?.id ?? body.inbox_id ?? body.conversation?.inbox_id ?? '');
  const own = inboxes.filter(({ externalId }) => externalId === claimed);
  const secrets = (own.length > 0 ? own : inboxes).map(({ providerData }) => providerData['webhookSecret']).filter((secret) => typeof secret === 'string');
  if (secrets.length === 0) return;

  const timestamp = headers['x-chatwoot-timestamp'] ?? '';
  const given = Buffer.from(headers['x-chatwoot-signature'] ?? '');
  const isSigned = secrets.some((secret) => {
    const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(`${timestamp}.`).update(rawBody).digest('hex')}`);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!isSigned) throw new WebhookRejectedError('badSignature', 'A Chatwoot webhook is not signed with its inbox\'s secret. After reset_secret, enable the chatbot again.');
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(receivedAt - Number(timestamp) * 1000) > SKEW_MS)
    throw new WebhookRejectedError('stale', 'A Chatwoot webhook was signed more than five minutes from now.');
}

import { fitEntries } from '../../checks/entries';
import { shortenText } from '../../checks/text';
import { botMayAnswer } from '../../control';
import { ConflictError, NotFoundError } from '../../errors';
import type { SessionId } from '../../ids';
import { instantOf } from '../../ports/clock';
import { mergeEndUser, type EndUser, type SessionRecord } from '../../session';
import type { Explanation, OpenSessionResult, OpenSessionInput } from '../api/sessions';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import type { StoreDeps } from '../deps';
import { canonicalJson } from '../canonical-json';
import { validateId } from './record-message';

const MAX_FIELD = 500;
/** No limit on the number here, because it applies after merging with the known attributes. */
const ATTRIBUTE_LIMITS = { entries: Number.POSITIVE_INFINITY, name: 100, value: 2_000 };
const NOBODY: EndUser = { externalId: null, name: null, email: null, phone: null, locale: null, attributes: {} };

/**
 * Fits an end-user's data to the limits. Only the id identifies the end-user and is refused if too long; the rest is
 * optional and is shortened or omitted.
 * @throws InvalidInputError ID_TOO_LONG
 */
function fittedEndUser(given: Partial<EndUser>): EndUser {
  const visible = (text: string | null | undefined): string | null =>
    text == null || text.trim() === '' ? null : text;
  // A shortened value would be another person's address or number.
  const wholeOrNull = (text: string | null | undefined): string | null =>
    text != null && text.length > MAX_FIELD ? null : visible(text);
  const [externalId, name] = [visible(given.externalId), visible(given.name)];
  return {
    externalId: externalId === null ? null : validateId(externalId, 'endUser.externalId', MAX_FIELD),
    name: name === null ? null : shortenText(name, MAX_FIELD),
    email: wholeOrNull(given.email),
    phone: wholeOrNull(given.phone),
    locale: wholeOrNull(given.locale),
    attributes: fitEntries(given.attributes ?? {}, ATTRIBUTE_LIMITS).kept,
  };
}

const hasNewFacts = (known: EndUser, given: EndUser): boolean =>
  canonicalJson(mergeEndUser(known, given)) !== canonicalJson(known);

/** Records what was learned about the end-user, and enqueues an update of the provider's contact if there is one. */
async function updateEndUser(
  deps: StoreDeps,
  { organizationId, id }: SessionRecord,
  given: EndUser,
): Promise<SessionRecord> {
  const { result } = await deps.stores.sessions.transact(organizationId, id, async tx => {
    const endUser = mergeEndUser(tx.session.endUser, given);
    await tx.updateSession({ endUser });
    if (tx.session.contactId !== null && tx.inbox.state !== 'DISABLED')
      await tx.enqueueForProvider({ kind: 'UPDATE_CONTACT' });
    return tx.session;
  });
  return result;
}

async function openSession(deps: StoreDeps, scope: Scope, input: OpenSessionInput): Promise<OpenSessionResult> {
  const { sessions, setup } = deps.stores;

  const endUser = fittedEndUser(input.endUser);
  validateId(input.channel, 'channel', 100);
  validateId(input.externalId, 'externalId');
  const inbox = await setup.findInboxByChatbot(scope.organizationId, input.chatbotId);
  if (inbox === null)
    throw new NotFoundError(
      'CHATBOT_NOT_ENABLED',
      'chatbotId',
      `Chatbot ${input.chatbotId.slice(0, 100)} has no support inbox. Call enableChatbotSupport for it first.`,
    );
  if (inbox.state === 'DISABLED')
    throw new ConflictError(
      'ACCOUNT_DISABLED',
      'chatbotId',
      'Support is disabled for this chatbot. Enable it again first.',
    );
  const opened = await sessions.open({
    id: deps.clock.newId(),
    organizationId: scope.organizationId,
    chatbotId: input.chatbotId,
    inboxId: inbox.id,
    channel: input.channel,
    externalId: input.externalId,
    endUser: mergeEndUser(NOBODY, endUser),
    at: instantOf(deps.clock.now()),
  });
  return opened.created || !hasNewFacts(opened.session.endUser, endUser)
    ? opened
    : { session: await updateEndUser(deps, opened.session, endUser), created: false };
}

async function explain(deps: StoreDeps, scope: Scope, sessionId: SessionId): Promise<Explanation> {
  const { sessions, setup, handoffs, deliveries, deadLetters } = deps.stores;

  const session = await sessions.get(scope.organizationId, sessionId);
  const inbox = session && (await setup.findInbox(scope.organizationId, session.inboxId));
  if (!session || !inbox)
    throw new NotFoundError(
      'SESSION_NOT_FOUND',
      'sessionId',
      'There is no such session. Open it with openSupportSession.',
    );
  const handoff =
    session.liveHandoffId === null ? null : await handoffs.get(scope.organizationId, session.liveHandoffId);
  const may = session.closedAt === null && botMayAnswer(session.control, inbox.policy.whileWaiting);
  const why: Explanation['reason'] =
    session.closedAt !== null
      ? 'SESSION_CLOSED'
      : session.control === 'BOT'
        ? 'BOT_HAS_CONTROL'
        : handoff?.state === 'ENDING'
          ? 'HANDOFF_ENDING'
          : session.control === 'NONE'
            ? may
              ? 'WAITING_BOT_MAY_ANSWER'
              : 'WAITING_FOR_AGENT'
            : 'AGENT_HAS_CONTROL';
  return {
    session,
    handoff,
    mayReply: may,
    reason: why,
    pendingDeliveries: await deliveries.countPending(scope.organizationId, sessionId),
    blockedLanes: await deadLetters.findBlockedLanes(scope.organizationId, sessionId),
  };
}

export function sessionFlows(deps: StoreDeps): Pick<Flows, 'openSession' | 'explain'> {
  return {
    openSession: (scope, input) => openSession(deps, scope, input),
    explain: (scope, sessionId) => explain(deps, scope, sessionId),
  };
}

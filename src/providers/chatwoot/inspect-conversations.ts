import { recoverySteps } from './damaged-conversation';
import { errorForResponse, isServerCrash } from './errors';
import { numberOf } from './connection';
import type { Inspection } from './inspection';
import { isGuardRefusal } from './mapping';
import { readList, type WireMessage } from './wire';

/**
 * Returns whether Chatwoot's guard refused the webhook of the newest conclusive message. A message with status
 * "delivered" is not conclusive: this service may have removed its failed mark. A message with status "sent" was
 * delivered.
 */
function isWebhookRefused(messages: readonly WireMessage[]): boolean {
  for (const { status, content_attributes: attributes } of [...messages].sort((one, other) => other.id - one.id)) {
    if (isGuardRefusal(attributes)) return true;
    if (status === 'sent') return false;
  }
  return false;
}

/**
 * Inspects a conversation whose reads failed repeatedly. The rest of the account was read before. Returns whether it is
 * damaged.
 */
export async function inspectConversation(inspection: Inspection, id: string): Promise<boolean> {
  const path = `${inspection.account}/conversations/${numberOf(id, 'conversation')}/messages`;
  const answer = await inspection
    .connect(inspection.desired.access)
    .user.request({ method: 'GET', path }, [404, 500], inspection.signal);
  if (!isServerCrash(answer)) return false;
  inspection.addItem(`conversation:${id}`, 'CONVERSATION', `conversation ${id}`, {
    desired: 'can be shown',
    observed: 'its history fails',
    repairable: false,
    problem: `Chatwoot cannot show the history of this conversation, so agents' messages in it cannot be read: most likely a file in it has a blank name. ${recoverySteps(id)}`,
  });
  return true;
}

/**
 * Reports that every agent sees an empty list. If the rest of the account works, only a damaged newest row of some
 * conversation causes inspection.
 */
function addListFailure(inspection: Inspection, damaged: readonly string[]): void {
  const known = damaged.length === 0 ? '' : ` It may be conversation ${damaged.join(' or ')}.`;
  inspection.addItem('conversation-list', 'CONVERSATION', 'the list of conversations', {
    desired: 'can be shown',
    observed: 'fails',
    repairable: false,
    problem: `Chatwoot cannot list the conversations while the rest of the account works, so no agent sees any: most likely the newest message of one of them has a file with a blank name.${known} Post any message in it, so that the list works again; then let an administrator delete that conversation.`,
  });
}

/** Reads the newest messages, which show whether Chatwoot sends webhooks at all. */
export async function inspectWebhookDeliveries(inspection: Inspection, damaged: readonly string[]): Promise<void> {
  const answer = await inspection
    .connect(inspection.desired.access)
    .user.request({ method: 'GET', path: `${inspection.account}/conversations?status=all` }, [500], inspection.signal);
  if (isServerCrash(answer)) return addListFailure(inspection, damaged);
  if (answer.status === 500 || answer.body === 'notJson')
    throw errorForResponse(answer, {
      method: 'GET',
      path: `${inspection.account}/conversations`,
      caller: inspection.connect(inspection.desired.access).user.caller,
      isWrite: false,
    });
  const { data } = answer.body.json as { data?: { payload?: unknown } };
  if (inspection.desired.access.webhookUrl === '') return;
  const ours = new Set(inspection.desired.inboxes.map(({ externalId }) => externalId));
  const messages = readList<{ inbox_id?: number; messages?: readonly WireMessage[] }>(data?.payload, 'conversations')
    .filter(({ inbox_id }) => ours.has(String(inbox_id)))
    .flatMap(row => row.messages ?? []);
  const refused = isWebhookRefused(messages);
  inspection.addItem('webhook-delivery', 'WEBHOOK_DELIVERY', 'webhooks', {
    desired: 'sent',
    observed: refused ? "refused by Chatwoot's own guard" : 'sent',
    repairable: false,
    problem:
      "Chatwoot refuses to send webhooks to this service because its address is private, and marks agents' messages as failed. Set SAFE_FETCH_ALLOW_PRIVATE_NETWORK=true in Chatwoot, or give this service a public address (SUPPORT_PUBLIC_URL).",
  });
}

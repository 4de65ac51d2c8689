import type { DesiredState, DriftKind } from '../../core/ports/provider/drift';
import { isOurWebhook, readInbox, settingsFor, type INBOX_SETTINGS } from './inbox-setup';
import { joinIds, type Comparison, type Inspection } from './inspection';
import { parseStoredSettings } from './settings';
import { readList, type WireInbox, type WirePerson } from './wire';

type DesiredInbox = DesiredState['inboxes'][number];

type AddItem = (part: string, kind: DriftKind, compared: Comparison) => boolean;

const SETTING_PROBLEMS: Readonly<Record<keyof typeof INBOX_SETTINGS, string>> = {
  lock_to_single_conversation: "A new session would continue in the end-user's last conversation.",
  greeting_enabled: 'Chatwoot greets end-users itself, in addition to the chatbot.',
  enable_auto_assignment: 'Chatwoot assigns handoffs to any agent online and ignores the requested team or agent.',
  working_hours_enabled: 'Outside its working hours Chatwoot replies to end-users itself, in addition to the chatbot.',
};

/** Returns only the origin of a webhook's address, because its path contains a secret. */
const maskUrl = (url: string | null | undefined): string | null =>
  !url ? null : URL.canParse(url) ? `${new URL(url).origin}/…` : 'no address at all';

/** Inspects an inbox. Returns it, or null if it was deleted. */
export async function inspectInbox(inspection: Inspection, desired: DesiredInbox): Promise<WireInbox | null> {
  const { access } = inspection.desired;
  const { inboxId, externalId, name, members } = desired;
  const inbox = await readInbox(inspection.connect(access), externalId, inspection.signal);
  const add: AddItem = (part, kind, compared) =>
    inspection.addItem(`inbox:${inboxId}${part && `:${part}`}`, kind, name, compared);
  if (!inbox) {
    add('', 'INBOX', {
      desired: 'there',
      observed: 'deleted',
      problem: 'The inbox was deleted in Chatwoot with its conversations. Repair this item to create another.',
    });
    return null;
  }
  const mark = inbox.additional_attributes?.['support_inbox_id'];
  if (
    !add('', 'INBOX', {
      desired: 'there',
      observed: mark === inboxId ? 'there' : 'not ours',
      repairable: false,
      problem: `Inbox ${externalId} in Chatwoot does not have this service's mark, so it is not changed. Enable support for the chatbot again with another inbox, or set the inbox's additional_attributes.support_inbox_id.`,
    })
  )
    return inbox;

  add('name', 'INBOX_NAME', {
    desired: name,
    observed: inbox.name,
    problem: 'The inbox has another name than its chatbot. Repair this item.',
  });
  compareWebhook(inspection, desired, inbox, add);
  for (const [key, wanted] of Object.entries(settingsFor(desired.allowsAutomaticReplies)) as [
    keyof typeof INBOX_SETTINGS,
    boolean,
  ][])
    add(key, 'INBOX_SETTINGS', {
      desired: `${key}: ${wanted}`,
      observed: `${key}: ${String((inbox as unknown as Record<string, unknown>)[key])}`,
      problem: `${SETTING_PROBLEMS[key]} Repair this item.`,
    });

  await inspectInboxBot(inspection, inbox, add);
  if (members !== null) await inspectInboxMembers(inspection, inbox, members, add);
  return inbox;
}

function compareWebhook(inspection: Inspection, { providerData }: DesiredInbox, inbox: WireInbox, add: AddItem): void {
  const { webhookUrl } = inspection.desired.access;
  if (webhookUrl === '' && isOurWebhook(inspection.desired.access, inbox.webhook_url))
    add('webhook-url', 'INBOX_WEBHOOK_URL', {
      desired: 'none',
      observed: maskUrl(inbox.webhook_url),
      problem:
        'Chatwoot sends messages to an address at which it cannot reach this service, and marks them as failed. Repair this item; then set SUPPORT_PUBLIC_URL.',
    });
  if (webhookUrl !== '') {
    const isSame = inbox.webhook_url === webhookUrl;
    const [desired, elsewhere] = [maskUrl(webhookUrl) ?? '', maskUrl(inbox.webhook_url)];
    add('webhook-url', 'INBOX_WEBHOOK_URL', {
      desired,
      observed: isSame ? desired : elsewhere === desired ? `${desired} (another path)` : elsewhere,
      problem:
        "Chatwoot's webhooks do not reach this service, so agents' messages are only found on a timer. Repair this item.",
    });
  }
  // Since 4.13 each inbox has a secret. Webhooks signed with another one are refused.
  if (inbox.secret === undefined || inbox.secret === null) return;
  const known = providerData['webhookSecret'];
  const observed = known === inbox.secret ? 'known' : known ? 'another than ours' : 'not known to us';
  add('webhook-secret', 'INBOX_WEBHOOK_SECRET', {
    desired: 'known',
    observed,
    problem: `The secret that signs this inbox's webhooks is ${observed}${known ? ', so all of them are refused' : ', so they are not verified'}. Repair this item.`,
  });
}

async function inspectInboxBot(inspection: Inspection, inbox: WireInbox, add: AddItem): Promise<void> {
  const { agent_bot } = (await inspection.read(`${inspection.account}/inboxes/${inbox.id}/agent_bot`)) as {
    agent_bot?: { id?: number; name?: string } | null;
  };
  const isOurs =
    agent_bot?.id !== undefined && agent_bot.id === parseStoredSettings(inspection.desired.access).agentBotId;
  add('agent-bot', 'INBOX_AGENT_BOT', {
    desired: 'our AgentBot',
    observed: isOurs ? 'our AgentBot' : agent_bot?.id === undefined ? 'none' : `another bot (${agent_bot.id})`,
    problem: 'New conversations of this inbox are not held for the chatbot; agents see them at once. Repair this item.',
  });
}

async function inspectInboxMembers(
  inspection: Inspection,
  inbox: WireInbox,
  members: readonly string[],
  add: AddItem,
): Promise<void> {
  const { payload } = (await inspection.read(`${inspection.account}/inbox_members/${inbox.id}`)) as {
    payload?: unknown;
  };
  add('members', 'INBOX_MEMBERS', {
    desired: joinIds(members),
    observed: joinIds(readList<WirePerson>(payload, 'members').map(({ id }) => id)),
    problem: "The inbox's members are not those set through this service. Repair this item, or set the members again.",
  });
}

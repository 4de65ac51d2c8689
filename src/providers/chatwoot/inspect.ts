import type { DesiredState, DriftItem, DriftKind } from '../../core/ports/support-provider';
import { BOT_NAME } from './account-setup';
import { remedyFor } from './damaged';
import { failureOf, isCrash } from './errors';
import { clientFor, numberOf, type Connect, type ChatwootHost } from './connection';
import { isOurWebhook, readInbox, settingsFor, type INBOX_SETTINGS } from './inbox-setup';
import { isGuardRefusal } from './mapping';
import { settingsOf } from './settings';
import { listIn, type WireAgentBot, type WireInbox, type WireMessage, type WirePerson, type WireProfile } from './wire';

type DesiredInbox = DesiredState['inboxes'][number];

interface Compared { readonly desired: string; readonly observed: string | null; readonly problem: string; readonly repairable?: boolean }

const SETTING_PROBLEMS: Readonly<Record<keyof typeof INBOX_SETTINGS, string>> = {
  lock_to_single_conversation: 'A new session would go on in the end-user\'s last conversation.',
  greeting_enabled: 'Chatwoot greets end-users itself, beside the chatbot.',
  enable_auto_assignment: 'Chatwoot gives handoffs to anybody online, past the team or agent that was asked for.',
  working_hours_enabled: 'Chatwoot answers end-users itself outside its working hours, beside the chatbot.',
};

/** Our webhook's address holds a secret: only where it leads is ever shown. */
const shownUrl = (url: string | null | undefined): string | null =>
  (!url ? null : URL.canParse(url) ? `${new URL(url).origin}/…` : 'no address at all');

const listed = (ids: readonly (number | string)[]): string => ids.map(Number).sort((a, b) => a - b).join(', ') || 'nobody';

/**
 * Whether the newest message that tells anything was refused. One that reads "delivered" tells nothing: its mark may have
 * been red until we took it back. One that was merely sent got out.
 */
function isRefusing(messages: readonly WireMessage[]): boolean {
  for (const { status, content_attributes: attributes } of [...messages].sort((one, other) => other.id - one.id)) {
    if (isGuardRefusal(attributes)) return true;
    if (status === 'sent') return false;
  }
  return false;
}

/** One look at an account: reads, and compares with what is desired. Stops where it may not look further, and says so. */
export class Inspector {
  readonly items: DriftItem[] = [];
  version: string | null = null;
  private people: readonly WirePerson[] = [];
  private readonly inboxes: WireInbox[] = [];
  private readonly damaged: string[] = [];
  private readonly hasPlatform: boolean;

  constructor(private readonly host: ChatwootHost, private readonly connect: Connect, private readonly desired: DesiredState, private readonly signal: AbortSignal) {
    this.hasPlatform = desired.access.credentials['platformToken'] !== undefined;
  }

  person(email: string): WirePerson | undefined { return this.people.find((person) => person.email?.toLowerCase() === email.toLowerCase()); }
  inbox(externalId: string): WireInbox | undefined { return this.inboxes.find(({ id }) => String(id) === externalId); }

  async run(): Promise<void> {
    await this.lookAtServer();
    if (!(await this.lookAtBotUser())) return;
    await this.lookAtAgentBot();
    await this.lookAtOwners();
    for (const team of this.desired.teams) await this.lookAtTeam(team);
    for (const conversation of this.desired.failingConversations ?? []) await this.lookAtConversation(conversation);
    if (this.desired.inboxes.length === 0) return;
    for (const inbox of this.desired.inboxes) await this.lookAtInbox(inbox);
    await this.lookAtDeliveries();
  }

  private get account(): string { return this.connect(this.desired.access).account; }
  private read(path: string): Promise<unknown> { return this.connect(this.desired.access).user.json({ method: 'GET', path }, this.signal); }

  private add(id: string, kind: DriftKind, subject: string, { desired, observed, problem, repairable = true }: Compared): boolean {
    const isRight = desired === observed;
    this.items.push({ id, kind, subject, desired, observed, repairable, problem: isRight ? null : problem });
    return isRight;
  }

  private async lookAtServer(): Promise<void> {
    const { body } = await clientFor(this.host, this.desired.access, null, 'nobody').answer({ method: 'GET', path: '/api' }, [404], this.signal);
    const version = body === 'notJson' ? undefined : (body.json as { version?: unknown } | undefined)?.version;
    this.version = typeof version === 'string' ? version.slice(0, 40) : null;
    this.items.push({ id: 'server', kind: 'SERVER', subject: 'Chatwoot', desired: 'answers', observed: this.version ?? 'answers', repairable: false, problem: null });
  }

  /** False: nothing else can be read with this user. */
  private async lookAtBotUser(): Promise<boolean> {
    const { access } = this.desired;
    const isBot = access.credentials['botToken'] !== undefined;
    const who = isBot ? BOT_NAME : 'The administrator whose token was given';
    const repairable = isBot && this.hasPlatform;
    const next = repairable ? 'Repair this item.' : isBot ? 'Enable support again with a Platform App\'s token.' : 'Make them one again, or enable support again with the token of an administrator.';

    const { status, body } = await this.connect(access).user.answer({ method: 'GET', path: '/api/v1/profile' }, [401], this.signal);
    const profile = status === 401 || body === 'notJson' ? null : (body.json as WireProfile);
    const token = { desired: 'works', observed: profile ? 'works' : 'refused', repairable, problem: `Chatwoot does not know the token of ${who} any more: it was reset, or the user was deleted. ${repairable ? next : 'Enable support again with a new token.'}` };
    if (!this.add('bot-agent:token', 'BOT_AGENT_TOKEN', who, token) || !profile) return false;

    const role = profile.accounts?.find(({ id }) => id === numberOf(access.externalId ?? '', 'account'))?.role ?? 'not in the account';
    const isAdministrator = this.add('bot-agent:role', 'BOT_AGENT_ROLE', who, {
      desired: 'administrator', observed: role, repairable,
      problem: `${who} is no longer an administrator of the account but ${role === 'not in the account' ? 'was removed from it' : `"${role}"`}. ${next}`,
    });
    if (isBot)
      this.add('bot-agent:name', 'BOT_AGENT_NAME', who, { desired: BOT_NAME, observed: profile.name ?? null, repairable, problem: `The user that we act as is not called ${BOT_NAME} any more. ${repairable ? next : 'Rename them in Chatwoot.'}` });
    return isAdministrator;
  }

  private async lookAtAgentBot(): Promise<void> {
    const { access } = this.desired;
    const { agentBotId } = settingsOf(access);
    const bot = listIn<WireAgentBot>(await this.read(`${this.account}/agent_bots`), 'agent bots').find(({ id }) => id === agentBotId);
    const observed = !bot ? 'deleted' : bot.access_token !== access.credentials['agentBotToken'] ? 'has another token' : bot.outgoing_url ? 'is sent webhooks' : 'there';
    this.add('agent-bot', 'AGENT_BOT', BOT_NAME, { desired: 'there', observed, problem: `The AgentBot that holds and writes to conversations ${observed === 'deleted' ? 'was deleted' : observed}. Repair this item.` });
  }

  private async lookAtOwners(): Promise<void> {
    if (this.desired.owners.length === 0) return;
    this.people = listIn<WirePerson>(await this.read(`${this.account}/agents`), 'agents');
    for (const { name, email } of this.desired.owners) {
      const role = this.person(email)?.role ?? null;
      this.add(`owner:${email.toLowerCase()}`, 'OWNER', name, {
        desired: 'administrator', observed: role,
        problem: `Owner ${email} is ${role === null ? 'not in the account' : `"${role}" there and no administrator`}. Repair this item${role === null && !this.hasPlatform ? ': Chatwoot mails them an invitation' : ''}.`,
      });
    }
  }

  private async lookAtTeam(team: DesiredState['teams'][number]): Promise<void> {
    if (team.members !== null) await this.lookAtMembers(team.externalId, team.name, team.members);
    if (team.autoAssign !== null) await this.lookAtTeamSettings(team.externalId, team.name, team.autoAssign);
  }

  private async lookAtTeamSettings(externalId: string, name: string, wanted: boolean): Promise<void> {
    const { status, body } = await this.connect(this.desired.access).user.answer({ method: 'GET', path: `${this.account}/teams/${numberOf(externalId, 'team')}` }, [404], this.signal);
    // Its deletion is told with its members, or by the directory.
    if (status === 404 || body === 'notJson') return;
    const shown = (isOn: unknown): string => (isOn === true ? 'assigns by itself' : 'assigns nobody by itself');
    this.add(`team:${externalId}:auto-assign`, 'TEAM_SETTINGS', name, {
      desired: shown(wanted), observed: shown((body.json as { allow_auto_assign?: unknown } | undefined)?.allow_auto_assign),
      problem: wanted ? 'Chatwoot does not give this team\'s conversations to its members. Repair this item.' : 'Chatwoot gives this team\'s conversations to any member who is online. Repair this item, or make a team with autoAssign.',
    });
  }

  private async lookAtMembers(externalId: string, name: string, members: readonly string[]): Promise<void> {
    const path = `${this.account}/teams/${numberOf(externalId, 'team')}/team_members`;
    const { status, body } = await this.connect(this.desired.access).user.answer({ method: 'GET', path }, [404], this.signal);
    const observed = status === 404 || body === 'notJson' ? null : listed(listIn<WirePerson>(body.json, 'members').map(({ id }) => id));
    this.add(`team:${externalId}:members`, 'TEAM_MEMBERS', name, {
      desired: listed(members), observed, repairable: observed !== null,
      problem: observed === null ? 'The team was deleted in Chatwoot. Refresh the directory.' : 'Others are in the team than were set from here. Repair this item, or set the members again.',
    });
  }

  private async lookAtInbox(desired: DesiredInbox): Promise<void> {
    const { inboxId, externalId, name, members } = desired;
    const inbox = await readInbox(this.connect(this.desired.access), externalId, this.signal);
    const add = (part: string, kind: DriftKind, compared: Compared) => this.add(`inbox:${inboxId}${part && `:${part}`}`, kind, name, compared);
    if (!inbox) {
      add('', 'INBOX', { desired: 'there', observed: 'deleted', problem: 'The inbox was deleted in Chatwoot, and its conversations with it. Repair this item to make another.' });
      return;
    }
    this.inboxes.push(inbox);
    const mark = inbox.additional_attributes?.['support_inbox_id'];
    if (!add('', 'INBOX', { desired: 'there', observed: mark === inboxId ? 'there' : 'not ours', repairable: false, problem: `Inbox ${externalId} in Chatwoot does not carry our mark; it is left alone. Enable support for the chatbot again under another inbox, or set additional_attributes.support_inbox_id there.` })) return;

    add('name', 'INBOX_NAME', { desired: name, observed: inbox.name, problem: 'The inbox has another name than its chatbot. Repair this item.' });
    this.compareWebhook(desired, inbox, add);
    for (const [key, wanted] of Object.entries(settingsFor(desired.repliesByItself)) as [keyof typeof INBOX_SETTINGS, boolean][])
      add(key, 'INBOX_SETTINGS', { desired: `${key}: ${wanted}`, observed: `${key}: ${String((inbox as unknown as Record<string, unknown>)[key])}`, problem: `${SETTING_PROBLEMS[key]} Repair this item.` });

    const { agent_bot } = await this.read(`${this.account}/inboxes/${inbox.id}/agent_bot`) as { agent_bot?: { id?: number; name?: string } | null };
    const isOurs = agent_bot?.id !== undefined && agent_bot.id === settingsOf(this.desired.access).agentBotId;
    add('agent-bot', 'INBOX_AGENT_BOT', {
      desired: 'our AgentBot', observed: isOurs ? 'our AgentBot' : agent_bot?.id === undefined ? 'none' : `another bot (${agent_bot.id})`,
      problem: 'New conversations of this inbox are not held for the chatbot, but shown to agents at once. Repair this item.',
    });
    if (members !== null) {
      const { payload } = await this.read(`${this.account}/inbox_members/${inbox.id}`) as { payload?: unknown };
      add('members', 'INBOX_MEMBERS', { desired: listed(members), observed: listed(listIn<WirePerson>(payload, 'members').map(({ id }) => id)), problem: 'Others see the inbox than were set from here. Repair this item, or set the members again.' });
    }
  }

  private compareWebhook({ providerData }: DesiredInbox, inbox: WireInbox, add: (part: string, kind: DriftKind, compared: Compared) => boolean): void {
    const { webhookUrl } = this.desired.access;
    if (webhookUrl === '' && isOurWebhook(this.desired.access, inbox.webhook_url))
      add('webhook-url', 'INBOX_WEBHOOK_URL', { desired: 'none', observed: shownUrl(inbox.webhook_url), problem: 'Chatwoot sends what is said to an address at which it cannot reach us, and shows messages as failed. Repair this item; then set SUPPORT_PUBLIC_URL.' });
    if (webhookUrl !== '') {
      const isSame = inbox.webhook_url === webhookUrl;
      const [desired, elsewhere] = [shownUrl(webhookUrl) ?? '', shownUrl(inbox.webhook_url)];
      add('webhook-url', 'INBOX_WEBHOOK_URL', { desired, observed: isSame ? desired : elsewhere === desired ? `${desired} (another path)` : elsewhere, problem: 'Chatwoot does not tell us at once what agents write; it is only read on a timer. Repair this item.' });
    }
    // From 4.13 on each inbox has a secret; deliveries signed with another one are refused by us.
    if (inbox.secret === undefined || inbox.secret === null) return;
    const known = providerData['webhookSecret'];
    const observed = known === inbox.secret ? 'known' : known ? 'another than ours' : 'not known to us';
    add('webhook-secret', 'INBOX_WEBHOOK_SECRET', { desired: 'known', observed, problem: `The secret that signs this inbox's webhooks is ${observed}${known ? ', so all of them are refused' : ', so they are not verified'}. Repair this item.` });
  }

  /** One that was read in vain again and again. Whatever else of the account there is was read before. */
  private async lookAtConversation(id: string): Promise<void> {
    const path = `${this.account}/conversations/${numberOf(id, 'conversation')}/messages`;
    const answer = await this.connect(this.desired.access).user.answer({ method: 'GET', path }, [404, 500], this.signal);
    if (!isCrash(answer)) return;
    this.damaged.push(id);
    this.add(`conversation:${id}`, 'CONVERSATION', `conversation ${id}`, {
      desired: 'can be shown', observed: 'its history fails', repairable: false,
      problem: `Chatwoot fails at the history of this conversation, and nothing that agents write in it can be read: most likely a file in it has a blank name. ${remedyFor(id)}`,
    });
  }

  /** Every agent sees an empty page. Nothing but the newest row of some conversation does that while all else answers. */
  private conversationListFails(): void {
    const known = this.damaged.length === 0 ? '' : ` It may be conversation ${this.damaged.join(' or ')}.`;
    this.add('conversation-list', 'CONVERSATION', 'the list of conversations', {
      desired: 'can be shown', observed: 'fails', repairable: false,
      problem: `Chatwoot fails at the list of all conversations while the rest of the account answers, so no agent sees any: most likely the newest message of one of them has a file with a blank name.${known} Post any message in it, so that the list works again; then let an administrator delete that conversation.`,
    });
  }

  /** The newest messages tell whether webhooks get out of Chatwoot at all. */
  private async lookAtDeliveries(): Promise<void> {
    const answer = await this.connect(this.desired.access).user.answer({ method: 'GET', path: `${this.account}/conversations?status=all` }, [500], this.signal);
    if (isCrash(answer)) return this.conversationListFails();
    if (answer.status === 500 || answer.body === 'notJson') throw failureOf(answer, { method: 'GET', path: `${this.account}/conversations`, caller: this.connect(this.desired.access).user.caller, writes: false });
    const { data } = answer.body.json as { data?: { payload?: unknown } };
    if (this.desired.access.webhookUrl === '') return;
    const ours = new Set(this.desired.inboxes.map(({ externalId }) => externalId));
    const messages = listIn<{ inbox_id?: number; messages?: readonly WireMessage[] }>(data?.payload, 'conversations')
      .filter(({ inbox_id }) => ours.has(String(inbox_id))).flatMap((row) => row.messages ?? []);
    const refused = isRefusing(messages);
    this.add('webhook-delivery', 'WEBHOOK_DELIVERY', 'webhooks', {
      desired: 'sent', observed: refused ? 'refused by Chatwoot\'s own guard' : 'sent', repairable: false,
      problem: 'Chatwoot refuses to send webhooks to our address because it is private, and shows agents\' messages as failed. Set SAFE_FETCH_ALLOW_PRIVATE_NETWORK=true there, or give this service a public address (SUPPORT_PUBLIC_URL).',
    });
  }
}

import type { DesiredState, DriftItem, DriftKind } from '../../core/ports/provider/drift';
import { BOT_NAME } from './account-setup';
import { recoverySteps } from './damaged-conversation';
import { errorForResponse, isServerCrash } from './errors';
import { createClient, numberOf, type Connect, type ChatwootHost } from './connection';
import { isOurWebhook, readInbox, settingsFor, type INBOX_SETTINGS } from './inbox-setup';
import { isGuardRefusal } from './mapping';
import { parseStoredSettings } from './settings';
import {
  readList,
  type WireAgentBot,
  type WireInbox,
  type WireMessage,
  type WirePerson,
  type WireProfile,
} from './wire';

type DesiredInbox = DesiredState['inboxes'][number];

interface Comparison {
  readonly desired: string;
  readonly observed: string | null;
  readonly problem: string;
  readonly repairable?: boolean;
}

const SETTING_PROBLEMS: Readonly<Record<keyof typeof INBOX_SETTINGS, string>> = {
  lock_to_single_conversation: "A new session would continue in the end-user's last conversation.",
  greeting_enabled: 'Chatwoot greets end-users itself, in addition to the chatbot.',
  enable_auto_assignment: 'Chatwoot assigns handoffs to any agent online and ignores the requested team or agent.',
  working_hours_enabled: 'Outside its working hours Chatwoot replies to end-users itself, in addition to the chatbot.',
};

/** Returns only the origin of a webhook's address, because its path contains a secret. */
const maskUrl = (url: string | null | undefined): string | null =>
  !url ? null : URL.canParse(url) ? `${new URL(url).origin}/…` : 'no address at all';

const joinIds = (ids: readonly (number | string)[]): string =>
  ids
    .map(Number)
    .sort((a, b) => a - b)
    .join(', ') || 'nobody';

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
 * Inspects an account once: reads it and compares it with the desired state. Stops at what our user may not read, and
 * reports that.
 */
export class Inspector {
  readonly items: DriftItem[] = [];
  version: string | null = null;
  private agents: readonly WirePerson[] = [];
  private readonly inboxes: WireInbox[] = [];
  private readonly damaged: string[] = [];
  private readonly hasPlatform: boolean;

  constructor(
    private readonly host: ChatwootHost,
    private readonly connect: Connect,
    private readonly desired: DesiredState,
    private readonly signal: AbortSignal,
  ) {
    this.hasPlatform = desired.access.credentials['platformToken'] !== undefined;
  }

  person(email: string): WirePerson | undefined {
    return this.agents.find(person => person.email?.toLowerCase() === email.toLowerCase());
  }
  inbox(externalId: string): WireInbox | undefined {
    return this.inboxes.find(({ id }) => String(id) === externalId);
  }

  async run(): Promise<void> {
    await this.inspectServer();
    if (!(await this.inspectBotUser())) return;
    await this.inspectAgentBot();
    await this.inspectOwners();
    for (const team of this.desired.teams) await this.inspectTeam(team);
    for (const conversation of this.desired.failingConversations ?? []) await this.inspectConversation(conversation);
    if (this.desired.inboxes.length === 0) return;
    for (const inbox of this.desired.inboxes) await this.inspectInbox(inbox);
    await this.inspectWebhookDeliveries();
  }

  private get account(): string {
    return this.connect(this.desired.access).account;
  }
  private read(path: string): Promise<unknown> {
    return this.connect(this.desired.access).user.json({ method: 'GET', path }, this.signal);
  }

  private addItem(
    id: string,
    kind: DriftKind,
    subject: string,
    { desired, observed, problem, repairable = true }: Comparison,
  ): boolean {
    const isRight = desired === observed;
    this.items.push({ id, kind, subject, desired, observed, repairable, problem: isRight ? null : problem });
    return isRight;
  }

  private async inspectServer(): Promise<void> {
    const { body } = await createClient(this.host, this.desired.access, null, 'nobody').request(
      { method: 'GET', path: '/api' },
      [404],
      this.signal,
    );
    const version = body === 'notJson' ? undefined : (body.json as { version?: unknown } | undefined)?.version;
    this.version = typeof version === 'string' ? version.slice(0, 40) : null;
    this.items.push({
      id: 'server',
      kind: 'SERVER',
      subject: 'Chatwoot',
      desired: 'answers',
      observed: this.version ?? 'answers',
      repairable: false,
      problem: null,
    });
  }

  /** Returns false if nothing else can be read with this user. */
  private async inspectBotUser(): Promise<boolean> {
    const { access } = this.desired;
    const isBot = access.credentials['botToken'] !== undefined;
    const who = isBot ? BOT_NAME : 'The administrator whose token was given';
    const repairable = isBot && this.hasPlatform;
    const next = repairable
      ? 'Repair this item.'
      : isBot
        ? "Enable support again with a Platform App's token."
        : "Make that person an administrator again, or enable support again with another administrator's token.";

    const { status, body } = await this.connect(access).user.request(
      { method: 'GET', path: '/api/v1/profile' },
      [401],
      this.signal,
    );
    const profile = status === 401 || body === 'notJson' ? null : (body.json as WireProfile);
    const token = {
      desired: 'works',
      observed: profile ? 'works' : 'refused',
      repairable,
      problem: `Chatwoot no longer knows the token of ${who}: it was reset, or the user was deleted. ${repairable ? next : 'Enable support again with a new token.'}`,
    };
    if (!this.addItem('bot-agent:token', 'BOT_AGENT_TOKEN', who, token) || !profile) return false;

    const role =
      profile.accounts?.find(({ id }) => id === numberOf(access.externalId ?? '', 'account'))?.role ??
      'not in the account';
    const isAdministrator = this.addItem('bot-agent:role', 'BOT_AGENT_ROLE', who, {
      desired: 'administrator',
      observed: role,
      repairable,
      problem: `${who} is no longer an administrator of the account but ${role === 'not in the account' ? 'was removed from it' : `"${role}"`}. ${next}`,
    });
    if (isBot)
      this.addItem('bot-agent:name', 'BOT_AGENT_NAME', who, {
        desired: BOT_NAME,
        observed: profile.name ?? null,
        repairable,
        problem: `The user as which this service acts is no longer named ${BOT_NAME}. ${repairable ? next : 'Rename the user in Chatwoot.'}`,
      });
    return isAdministrator;
  }

  private async inspectAgentBot(): Promise<void> {
    const { access } = this.desired;
    const { agentBotId } = parseStoredSettings(access);
    const bot = readList<WireAgentBot>(await this.read(`${this.account}/agent_bots`), 'agent bots').find(
      ({ id }) => id === agentBotId,
    );
    const observed = !bot
      ? 'deleted'
      : bot.access_token !== access.credentials['agentBotToken']
        ? 'has another token'
        : bot.outgoing_url
          ? 'is sent webhooks'
          : 'there';
    this.addItem('agent-bot', 'AGENT_BOT', BOT_NAME, {
      desired: 'there',
      observed,
      problem: `The AgentBot, which holds conversations and writes in them, ${observed === 'deleted' ? 'was deleted' : observed}. Repair this item.`,
    });
  }

  private async inspectOwners(): Promise<void> {
    if (this.desired.owners.length === 0) return;
    this.agents = readList<WirePerson>(await this.read(`${this.account}/agents`), 'agents');
    for (const { name, email } of this.desired.owners) {
      const role = this.person(email)?.role ?? null;
      this.addItem(`owner:${email.toLowerCase()}`, 'OWNER', name, {
        desired: 'administrator',
        observed: role,
        problem: `Owner ${email} is ${role === null ? 'not in the account' : `"${role}" there and no administrator`}. Repair this item${role === null && !this.hasPlatform ? ': Chatwoot mails them an invitation' : ''}.`,
      });
    }
  }

  private async inspectTeam(team: DesiredState['teams'][number]): Promise<void> {
    if (team.members !== null) await this.inspectMembers(team.externalId, team.name, team.members);
    if (team.autoAssign !== null) await this.inspectTeamSettings(team.externalId, team.name, team.autoAssign);
  }

  private async inspectTeamSettings(externalId: string, name: string, wanted: boolean): Promise<void> {
    const { status, body } = await this.connect(this.desired.access).user.request(
      { method: 'GET', path: `${this.account}/teams/${numberOf(externalId, 'team')}` },
      [404],
      this.signal,
    );
    // The inspection of its members, or the directory, reports that it was deleted.
    if (status === 404 || body === 'notJson') return;
    const shown = (isOn: unknown): string => (isOn === true ? 'assigns by itself' : 'assigns nobody by itself');
    this.addItem(`team:${externalId}:auto-assign`, 'TEAM_SETTINGS', name, {
      desired: shown(wanted),
      observed: shown((body.json as { allow_auto_assign?: unknown } | undefined)?.allow_auto_assign),
      problem: wanted
        ? "Chatwoot does not assign this team's conversations to its members. Repair this item."
        : "Chatwoot assigns this team's conversations to any member who is online. Repair this item, or create a team with autoAssign.",
    });
  }

  private async inspectMembers(externalId: string, name: string, members: readonly string[]): Promise<void> {
    const path = `${this.account}/teams/${numberOf(externalId, 'team')}/team_members`;
    const { status, body } = await this.connect(this.desired.access).user.request(
      { method: 'GET', path },
      [404],
      this.signal,
    );
    const observed =
      status === 404 || body === 'notJson'
        ? null
        : joinIds(readList<WirePerson>(body.json, 'members').map(({ id }) => id));
    this.addItem(`team:${externalId}:members`, 'TEAM_MEMBERS', name, {
      desired: joinIds(members),
      observed,
      repairable: observed !== null,
      problem:
        observed === null
          ? 'The team was deleted in Chatwoot. Refresh the directory.'
          : "The team's members are not those set through this service. Repair this item, or set the members again.",
    });
  }

  private async inspectInbox(desired: DesiredInbox): Promise<void> {
    const { inboxId, externalId, name, members } = desired;
    const inbox = await readInbox(this.connect(this.desired.access), externalId, this.signal);
    const add = (part: string, kind: DriftKind, compared: Comparison) =>
      this.addItem(`inbox:${inboxId}${part && `:${part}`}`, kind, name, compared);
    if (!inbox) {
      add('', 'INBOX', {
        desired: 'there',
        observed: 'deleted',
        problem: 'The inbox was deleted in Chatwoot with its conversations. Repair this item to create another.',
      });
      return;
    }
    this.inboxes.push(inbox);
    const mark = inbox.additional_attributes?.['support_inbox_id'];
    if (
      !add('', 'INBOX', {
        desired: 'there',
        observed: mark === inboxId ? 'there' : 'not ours',
        repairable: false,
        problem: `Inbox ${externalId} in Chatwoot does not have this service's mark, so it is not changed. Enable support for the chatbot again with another inbox, or set the inbox's additional_attributes.support_inbox_id.`,
      })
    )
      return;

    add('name', 'INBOX_NAME', {
      desired: name,
      observed: inbox.name,
      problem: 'The inbox has another name than its chatbot. Repair this item.',
    });
    this.compareWebhook(desired, inbox, add);
    for (const [key, wanted] of Object.entries(settingsFor(desired.allowsAutomaticReplies)) as [
      keyof typeof INBOX_SETTINGS,
      boolean,
    ][])
      add(key, 'INBOX_SETTINGS', {
        desired: `${key}: ${wanted}`,
        observed: `${key}: ${String((inbox as unknown as Record<string, unknown>)[key])}`,
        problem: `${SETTING_PROBLEMS[key]} Repair this item.`,
      });

    const { agent_bot } = (await this.read(`${this.account}/inboxes/${inbox.id}/agent_bot`)) as {
      agent_bot?: { id?: number; name?: string } | null;
    };
    const isOurs = agent_bot?.id !== undefined && agent_bot.id === parseStoredSettings(this.desired.access).agentBotId;
    add('agent-bot', 'INBOX_AGENT_BOT', {
      desired: 'our AgentBot',
      observed: isOurs ? 'our AgentBot' : agent_bot?.id === undefined ? 'none' : `another bot (${agent_bot.id})`,
      problem:
        'New conversations of this inbox are not held for the chatbot; agents see them at once. Repair this item.',
    });
    if (members !== null) {
      const { payload } = (await this.read(`${this.account}/inbox_members/${inbox.id}`)) as { payload?: unknown };
      add('members', 'INBOX_MEMBERS', {
        desired: joinIds(members),
        observed: joinIds(readList<WirePerson>(payload, 'members').map(({ id }) => id)),
        problem:
          "The inbox's members are not those set through this service. Repair this item, or set the members again.",
      });
    }
  }

  private compareWebhook(
    { providerData }: DesiredInbox,
    inbox: WireInbox,
    add: (part: string, kind: DriftKind, compared: Comparison) => boolean,
  ): void {
    const { webhookUrl } = this.desired.access;
    if (webhookUrl === '' && isOurWebhook(this.desired.access, inbox.webhook_url))
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

  /** Inspects a conversation whose reads failed repeatedly. The rest of the account was read before. */
  private async inspectConversation(id: string): Promise<void> {
    const path = `${this.account}/conversations/${numberOf(id, 'conversation')}/messages`;
    const answer = await this.connect(this.desired.access).user.request(
      { method: 'GET', path },
      [404, 500],
      this.signal,
    );
    if (!isServerCrash(answer)) return;
    this.damaged.push(id);
    this.addItem(`conversation:${id}`, 'CONVERSATION', `conversation ${id}`, {
      desired: 'can be shown',
      observed: 'its history fails',
      repairable: false,
      problem: `Chatwoot cannot show the history of this conversation, so agents' messages in it cannot be read: most likely a file in it has a blank name. ${recoverySteps(id)}`,
    });
  }

  /**
   * Reports that every agent sees an empty list. If the rest of the account works, only a damaged newest row of some
   * conversation causes this.
   */
  private addListFailure(): void {
    const known = this.damaged.length === 0 ? '' : ` It may be conversation ${this.damaged.join(' or ')}.`;
    this.addItem('conversation-list', 'CONVERSATION', 'the list of conversations', {
      desired: 'can be shown',
      observed: 'fails',
      repairable: false,
      problem: `Chatwoot cannot list the conversations while the rest of the account works, so no agent sees any: most likely the newest message of one of them has a file with a blank name.${known} Post any message in it, so that the list works again; then let an administrator delete that conversation.`,
    });
  }

  /** Reads the newest messages, which show whether Chatwoot sends webhooks at all. */
  private async inspectWebhookDeliveries(): Promise<void> {
    const answer = await this.connect(this.desired.access).user.request(
      { method: 'GET', path: `${this.account}/conversations?status=all` },
      [500],
      this.signal,
    );
    if (isServerCrash(answer)) return this.addListFailure();
    if (answer.status === 500 || answer.body === 'notJson')
      throw errorForResponse(answer, {
        method: 'GET',
        path: `${this.account}/conversations`,
        caller: this.connect(this.desired.access).user.caller,
        isWrite: false,
      });
    const { data } = answer.body.json as { data?: { payload?: unknown } };
    if (this.desired.access.webhookUrl === '') return;
    const ours = new Set(this.desired.inboxes.map(({ externalId }) => externalId));
    const messages = readList<{ inbox_id?: number; messages?: readonly WireMessage[] }>(data?.payload, 'conversations')
      .filter(({ inbox_id }) => ours.has(String(inbox_id)))
      .flatMap(row => row.messages ?? []);
    const refused = isWebhookRefused(messages);
    this.addItem('webhook-delivery', 'WEBHOOK_DELIVERY', 'webhooks', {
      desired: 'sent',
      observed: refused ? "refused by Chatwoot's own guard" : 'sent',
      repairable: false,
      problem:
        "Chatwoot refuses to send webhooks to this service because its address is private, and marks agents' messages as failed. Set SAFE_FETCH_ALLOW_PRIVATE_NETWORK=true in Chatwoot, or give this service a public address (SUPPORT_PUBLIC_URL).",
    });
  }
}

import type { DesiredState } from '../../core/ports/provider/drift';
import { createClient, numberOf, type ChatwootHost, type Connect } from './connection';
import { BOT_NAME } from './created-users';
import { inspectConversation, inspectWebhookDeliveries } from './inspect-conversations';
import { inspectInbox } from './inspect-inbox';
import { Inspection, joinIds } from './inspection';
import { parseStoredSettings } from './settings';
import { readList, type WireAgentBot, type WireInbox, type WirePerson, type WireProfile } from './wire';

/**
 * Inspects an account once: reads it and compares it with the desired state. Stops at what our user may not read, and
 * reports that.
 */
export class Inspector extends Inspection {
  version: string | null = null;
  private agents: readonly WirePerson[] = [];
  private readonly inboxes: WireInbox[] = [];
  private readonly hasPlatform: boolean;

  constructor(
    private readonly host: ChatwootHost,
    connect: Connect,
    desired: DesiredState,
    signal: AbortSignal,
  ) {
    super(connect, desired, signal);
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
    const damaged: string[] = [];
    for (const conversation of this.desired.failingConversations ?? [])
      if (await inspectConversation(this, conversation)) damaged.push(conversation);
    if (this.desired.inboxes.length === 0) return;
    for (const desired of this.desired.inboxes) {
      const inbox = await inspectInbox(this, desired);
      if (inbox !== null) this.inboxes.push(inbox);
    }
    await inspectWebhookDeliveries(this, damaged);
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
}

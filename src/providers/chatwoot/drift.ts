import type { AccountAccess } from '../../core/ports/provider/access';
import type { DesiredState, DriftVerbs, Inspection, RepairDrift } from '../../core/ports/provider/drift';
import { AccountSetup, capabilitiesOf } from './account-setup';
import { BOT_NAME } from './created-users';
import { createClient, numberOf, type Connect, type ChatwootHost } from './connection';
import { Inspector } from './inspect';
import { connectAgentBot, toEnsuredInbox, ensureInbox, INBOX_SETTINGS } from './inbox-setup';
import { ChatwootAgentsAndTeams } from './agents-and-teams';

export function createDriftVerbs(host: ChatwootHost, connect: Connect): DriftVerbs {
  return {
    async inspectDrift(desired, signal): Promise<Inspection> {
      const inspector = new Inspector(host, connect, desired, signal);
      await inspector.run();
      const { version } = inspector;
      return {
        items: inspector.items,
        learned: {
          capabilities: capabilitiesOf(desired.access),
          ...(version !== null &&
            version !== desired.access.settings['version'] && { settings: { ...desired.access.settings, version } }),
        },
      };
    },
    repairDrift: (request, signal) => new DriftRepair(host, connect, request, signal).run(),
  };
}

/**
 * Repairs the requested items that are broken. The account's own items come first, because nothing else can be
 * inspected without them.
 */
class DriftRepair {
  private access: AccountAccess;

  constructor(
    private readonly host: ChatwootHost,
    private readonly connect: Connect,
    private readonly request: RepairDrift,
    private readonly signal: AbortSignal,
  ) {
    this.access = request.desired.access;
  }

  async run(): Promise<void> {
    // Each repair makes more visible to the inspection: first the token, then the role, then the rest.
    for (const kinds of [['BOT_AGENT_TOKEN', 'BOT_AGENT_ROLE'], ['BOT_AGENT_NAME', 'AGENT_BOT'], null]) {
      const inspector = new Inspector(this.host, this.connect, this.desired, this.signal);
      await inspector.run();
      for (const item of inspector.items)
        if (
          item.problem !== null &&
          item.repairable &&
          this.request.items.includes(item.id) &&
          (kinds === null || kinds.includes(item.kind))
        )
          await this.repair(item.id, inspector);
    }
  }

  private get desired(): DesiredState {
    return { ...this.request.desired, access: this.access };
  }

  private async repair(id: string, inspector: Inspector): Promise<void> {
    const [what = '', key = '', part = ''] = id.split(':');
    if (what === 'bot-agent')
      return part === 'name' || key === 'name'
        ? this.renameBotUser()
        : this.runSetupSteps(setUp => setUp.ensureBotUser());
    if (what === 'agent-bot')
      return this.runSetupSteps(async setUp => {
        await setUp.ensureAgentBot();
        await this.clearAgentBotUrl(setUp.access);
      });
    if (what === 'owner') return this.repairOwner(id.slice('owner:'.length), inspector);
    if (what === 'team') return this.repairTeam(key, part);
    if (what === 'inbox') return this.repairInbox(key, part, inspector);
  }

  private async runSetupSteps(work: (setUp: AccountSetup) => Promise<void>): Promise<void> {
    const { save, desired } = this.request;
    const setUp = new AccountSetup(
      this.host,
      {
        access: this.access,
        name: '',
        owners: desired.owners,
        inboxes: desired.inboxes.map(({ externalId }) => externalId),
        save,
      },
      this.signal,
    );
    try {
      await work(setUp);
    } finally {
      this.access = setUp.access;
    }
  }

  private async renameBotUser(): Promise<void> {
    const platform = createClient(
      this.host,
      this.access,
      this.access.credentials['platformToken'] ?? null,
      'platformApp',
    );
    await platform.json(
      {
        method: 'PATCH',
        path: `/platform/api/v1/users/${this.connect(this.access).settings.botUserId}`,
        body: { name: BOT_NAME, display_name: BOT_NAME },
      },
      this.signal,
    );
  }

  /**
   * Removes the agent bot's URL. With one, Chatwoot would send it end-users' messages, and open conversations to agents
   * when a request fails.
   */
  private async clearAgentBotUrl(access: AccountAccess): Promise<void> {
    const { user, account, settings } = this.connect(access);
    await user.json(
      {
        method: 'PATCH',
        path: `${account}/agent_bots/${settings.agentBotId}`,
        body: { name: BOT_NAME, outgoing_url: null },
      },
      this.signal,
    );
  }

  private async repairOwner(email: string, inspector: Inspector): Promise<void> {
    const owner = this.request.desired.owners.find(one => one.email.toLowerCase() === email);
    const known = inspector.person(email);
    const { user, account } = this.connect(this.access);
    if (known)
      await user.json(
        { method: 'PATCH', path: `${account}/agents/${known.id}`, body: { role: 'administrator' } },
        this.signal,
      );
    else if (owner) await this.runSetupSteps(setUp => setUp.ensureOwner(owner));
  }

  private async repairTeam(externalId: string, part: string): Promise<void> {
    const team = this.request.desired.teams.find(one => one.externalId === externalId);
    const { user, account } = this.connect(this.access);
    if (part === 'auto-assign' && team && team.autoAssign !== null)
      await user.json(
        {
          method: 'PATCH',
          path: `${account}/teams/${numberOf(externalId, 'team')}`,
          body: { team: { allow_auto_assign: team.autoAssign } },
        },
        this.signal,
      );
    if (part === 'members' && team?.members)
      await new ChatwootAgentsAndTeams(this.host, this.connect).setTeamMembers(
        this.access,
        externalId,
        team.members,
        this.signal,
      );
  }

  private async repairInbox(inboxId: string, part: string, inspector: Inspector): Promise<void> {
    const connection = this.connect(this.access);
    await this.request.withInboxLock(inboxId, async (desired, signal) => {
      const { externalId, name, members } = desired;
      const patch = async (body: object): Promise<void> => {
        await connection.user.json(
          { method: 'PATCH', path: `${connection.account}/inboxes/${externalId}`, body },
          signal,
        );
      };
      // The session has another inbox meanwhile, so what was inspected does not describe it.
      const seen = inspector.inbox(externalId);
      if (part === '') return ensureInbox(this.connect, { ...desired, account: this.access }, signal);
      if (part === 'webhook-secret') return seen ? toEnsuredInbox(seen) : null;
      if (part === 'name') await patch({ name });
      else if (part === 'webhook-url') await patch({ channel: { webhook_url: this.access.webhookUrl || null } });
      else if (part === 'agent-bot') await connectAgentBot(connection, externalId, signal);
      else if (part === 'members' && members !== null)
        await new ChatwootAgentsAndTeams(this.host, this.connect).setInboxMembers(
          { account: this.access, externalId, providerData: {} },
          members,
          signal,
        );
      else if (part in INBOX_SETTINGS) await patch({ [part]: INBOX_SETTINGS[part as keyof typeof INBOX_SETTINGS] });
      return null;
    });
  }
}

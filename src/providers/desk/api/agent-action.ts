import type { z } from 'zod';
import {
  HELD_FOR_BOT,
  changeState,
  lockConversation,
  recordActivity,
  type DeskConversation,
  type StateChange,
} from '../conversation';
import { instant, instantOrNull, isDeskId, type Query } from '../database';
import { insertMessage, type NewAttachment } from '../messages';
import { areTargetsValid } from '../setup';
import { DeskApiError, notFoundError } from './http';
import type { assignInput, messageInput, snoozeInput } from './input';

/** The agent who acts: named by the header `x-desk-agent`, and of the caller's organization. */
export interface ActingAgent {
  readonly id: string;
  readonly name: string;
  readonly accountId: string;
  readonly accountOurId: string;
}

export async function findActingAgent(
  query: Query,
  organizationId: string,
  id: string | undefined,
): Promise<ActingAgent | null> {
  if (id === undefined || id === '') return null;
  const {
    rows: [row],
  } = isDeskId(id)
    ? await query(
        `
        select g.id, g.name, g.account_id, a.our_id from desk_agent g join desk_account a on a.id = g.account_id
        where g.id = $1 and a.organization_id = $2 and g.kind = 'PERSON'`,
        [id, organizationId],
      )
    : { rows: [] };
  if (!row) throw notFoundError('agent');
  return { id: row.id, name: row.name, accountId: row.account_id, accountOurId: row.our_id };
}

/** One agent's action on one conversation, whose row is locked. */
export class AgentAction {
  private constructor(
    private readonly query: Query,
    private row: DeskConversation,
    private readonly agent: ActingAgent,
    private readonly now: string,
  ) {}

  static async on(query: Query, agent: ActingAgent, conversationId: string, now: string): Promise<AgentAction> {
    const row = await lockConversation(query, agent.accountId, conversationId, now);
    if (!row) throw notFoundError('conversation');
    return new AgentAction(query, row, agent, now);
  }

  /** Adds a message. A public one opens the conversation and assigns it to the writer unless another agent has it. */
  async postMessage(
    { text, visibility }: z.output<typeof messageInput>,
    attachments: readonly NewAttachment[],
  ): Promise<string> {
    const isPublic = visibility === 'PUBLIC';
    if (isPublic && !this.isWithAgents)
      await this.applyChange({ ...HELD_FOR_BOT, status: 'OPEN', agent_id: this.agent.id }, 'took the conversation.');
    const { id } = await insertMessage(this.query, this.row, {
      our_id: null,
      author: 'AGENT',
      visibility,
      agent_id: this.agent.id,
      author_name: null,
      text,
      attachments,
      at: this.now,
    });
    await this.applyChange(
      isPublic
        ? { status: 'OPEN', agent_id: this.row.agent_id ?? this.agent.id, snoozed_until: null, waiting_since: null }
        : {},
      null,
    );
    return id;
  }

  /**
   * Assigns to an agent or team, or unassigns; either takes the conversation from the bot. An agent who is not in the
   * new team loses the assignment.
   */
  async assign({ agentId, teamId }: z.output<typeof assignInput>): Promise<void> {
    if (!(await areTargetsValid(this.query, this.row.account_id, { agentId: agentId ?? null, teamId: teamId ?? null })))
      throw notFoundError('agent or team');
    const before = this.isWithAgents
      ? this.row
      : ({ ...HELD_FOR_BOT, status: 'OPEN', waiting_since: agentId ? null : this.now } as const);
    const team_id = teamId === undefined ? before.team_id : teamId;
    const agent_id =
      agentId !== undefined ? agentId : (await this.isMember(before.agent_id, team_id)) ? before.agent_id : null;
    if (this.isWithAgents && team_id === this.row.team_id && agent_id === this.row.agent_id) return;
    // Unassigning a conversation that agents do not have must not ask for an agent.
    if (!this.isWithAgents && agent_id === null && team_id === null) return;
    await this.applyChange({ ...before, team_id, agent_id }, await this.assignmentLine(agent_id, team_id));
  }

  async resolve(): Promise<void> {
    if (this.row.status === 'RESOLVED') return;
    this.requireWithAgents();
    await this.applyChange(
      { status: 'RESOLVED', snoozed_until: null, waiting_since: null },
      'resolved the conversation.',
    );
  }

  async returnToBot(): Promise<void> {
    if (this.row.status === 'BOT_HELD') return;
    this.requireWithAgents();
    await this.applyChange(HELD_FOR_BOT, 'returned the conversation to the bot.');
  }

  /** Puts the conversation on hold until the given time, or until the end-user writes. */
  async snooze({ until }: z.output<typeof snoozeInput>): Promise<void> {
    this.requireWithAgents();
    if (until !== null && Date.parse(until) <= Date.parse(this.now))
      throw new DeskApiError(400, 'INPUT_INVALID', 'until: is in the past; give a later time');
    const snoozed_until = until === null ? null : instant(until);
    if (this.row.status === 'ON_HOLD' && instantOrNull(this.row.snoozed_until) === snoozed_until) return;
    await this.applyChange({ status: 'ON_HOLD', snoozed_until }, 'put the conversation on hold.');
  }

  async wake(): Promise<void> {
    if (this.row.status === 'OPEN') return;
    this.requireWithAgents();
    await this.applyChange({ status: 'OPEN', snoozed_until: null }, 'took the conversation off hold.');
  }

  async reopen(): Promise<void> {
    if (this.row.status === 'OPEN') return;
    if (this.row.status !== 'RESOLVED') throw conflictError('Only a resolved conversation can be reopened.');
    await this.applyChange({ ...HELD_FOR_BOT, status: 'OPEN', agent_id: this.agent.id }, 'reopened the conversation.');
  }

  private get isWithAgents(): boolean {
    return this.row.status === 'OPEN' || this.row.status === 'ON_HOLD';
  }

  private requireWithAgents(): void {
    if (!this.isWithAgents) throw conflictError('The conversation is not with agents now; take it or reopen it first.');
  }

  private async applyChange(change: StateChange, deed: string | null): Promise<void> {
    if (deed !== null)
      await recordActivity(this.query, this.row, `${this.agent.name} ${deed}`, this.now, this.agent.id);
    this.row = await changeState(this.query, this.row, change, this.now);
  }

  private async isMember(agentId: string | null, teamId: string | null): Promise<boolean> {
    if (agentId === null || teamId === null) return true;
    return (
      (await this.query('select from desk_team_member where agent_id = $1 and team_id = $2', [agentId, teamId]))
        .rowCount === 1
    );
  }

  private async assignmentLine(agentId: string | null, teamId: string | null): Promise<string> {
    if (agentId === this.agent.id) return 'took the conversation.';
    const {
      rows: [{ agent, team }],
    } = await this.query(
      'select (select name from desk_agent where id = $1) as agent, (select name from desk_team where id = $2) as team',
      [agentId, teamId],
    );
    if (agent !== null) return `assigned the conversation to ${agent}.`;
    return team === null ? 'put the conversation back in the queue.' : `passed the conversation to the team ${team}.`;
  }
}

const conflictError = (message: string) => new DeskApiError(409, 'TRANSITION_REFUSED', message);

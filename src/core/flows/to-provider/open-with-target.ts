import { ProviderRefusedError } from '../../errors';
import type { HandoffRecord } from '../../handoff';
import type { ConversationAccess } from '../../ports/provider/access';
import type { ConversationView } from '../../conversation-view';
import type { OpenForAgents } from '../../ports/provider/conversation-verbs';
import type { AgentRecord, TeamRecord } from '../../setup';
import type { DeliveryContext } from './delivery-context';

export interface OpenedConversation {
  /** The state of the conversation as we know it now. */
  readonly view: ConversationView;
  /** True: we assigned an agent. */
  readonly hasAgent: boolean;
  /** The parts of target and priority that the provider did not accept, one line for agents each. */
  readonly droppedLines: readonly string[];
}

type RequestedTarget = Pick<OpenForAgents, 'teamId' | 'agentId' | 'priority'>;
const NO_TARGET = { teamId: null, agentId: null } as const;

/**
 * Opens a handoff's conversation to agents. Called when everything that they should know first is posted. Target and
 * priority only say who should see it first, so the conversation is opened without those that the provider refuses or
 * that are gone.
 * @param isFinished it was opened before, and the agents have finished it: nothing is written
 * @throws ProviderRefusedError if it cannot be opened at all; and the provider's other errors
 */
export async function openWithAcceptedTarget(
  { deps, provider }: DeliveryContext,
  conversation: ConversationAccess,
  handoff: HandoffRecord,
  isFinished: boolean,
): Promise<OpenedConversation> {
  const { target, priority, organizationId } = handoff;
  const [team] =
    target.teamId === null ? [null] : await deps.stores.setup.findTeamsByIds(organizationId, [target.teamId]);
  const [agent] =
    target.agentId === null ? [null] : await deps.stores.setup.findAgentsByIds(organizationId, [target.agentId]);
  const wanted: RequestedTarget = { teamId: team?.externalId ?? null, agentId: agent?.externalId ?? null, priority };
  const speaker = handoff.agent?.externalId ?? null;
  const taken = isFinished
    ? wanted
    : await openWithFirstAccepted(targetCandidates(wanted, speaker), one =>
        provider.openForAgents({ conversation, ...one }),
      );
  const hasTarget =
    taken.teamId === wanted.teamId && taken.agentId === wanted.agentId && (team ?? agent ?? null) !== null;
  const dropped = [
    ...(!hasTarget && (target.teamId !== null || target.agentId !== null)
      ? [targetLine(team ?? null, agent ?? null)]
      : []),
    ...(taken.priority === priority ? [] : [`Priority: ${priority}`]),
  ];
  const isSpeakers = !hasTarget && taken.agentId !== null && handoff.agent !== null;
  const viewedAgent = isSpeakers ? { externalId: handoff.agent.externalId, name: handoff.agent.name } : null;
  return {
    view: { status: 'OPEN', agent: viewedAgent, teamId: taken.teamId },
    hasAgent: taken.agentId !== null,
    droppedLines: dropped,
  };
}

/**
 * Lists the choices from all wanted values to none, because the provider does not say which value it refuses. An agent
 * who has already replied is preferred to none.
 */
function targetCandidates(wanted: RequestedTarget, speaker: RequestedTarget['agentId']): readonly RequestedTarget[] {
  const { priority } = wanted;
  const hasTarget = wanted.teamId !== null || wanted.agentId !== null;
  const others = hasTarget
    ? [
        { teamId: null, agentId: speaker, priority },
        { teamId: null, agentId: speaker, priority: null },
      ]
    : [];
  const all = [
    wanted,
    { ...wanted, priority: null },
    ...others,
    { ...NO_TARGET, priority },
    { ...NO_TARGET, priority: null },
  ];
  const keyOf = ({ teamId, agentId, priority }: RequestedTarget) => JSON.stringify([teamId, agentId, priority]);
  return all.filter((one, at) => all.findIndex(other => keyOf(other) === keyOf(one)) === at);
}

async function openWithFirstAccepted(
  choices: readonly RequestedTarget[],
  open: (one: RequestedTarget) => Promise<void>,
): Promise<RequestedTarget> {
  for (const [at, one] of choices.entries())
    try {
      await open(one);
      return one;
    } catch (error) {
      if (!(error instanceof ProviderRefusedError) || error.gone || at === choices.length - 1) throw error;
    }
  throw new ProviderRefusedError('The provider refused every way to open the conversation.');
}

const targetLine = (team: Pick<TeamRecord, 'name'> | null, agent: Pick<AgentRecord, 'name'> | null): string =>
  team !== null
    ? `Team: ${team.name}`
    : agent !== null
      ? `Agent: ${agent.name}`
      : 'A team or agent that is not in this account any more.';

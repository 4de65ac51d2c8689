import { ProviderAuthError, ProviderRefusedError, type SupportError } from '../../errors';
import type { OrganizationId, SessionId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { DesiredState, DriftItem, RepairDrift } from '../../ports/support-provider';
import type { AccountHealth, AccountRecord } from '../../setup';
import { problemOf, setUpTools, settlesAfterMs } from './find-account';
import type { Flows, Scope } from '../api';
import { accessOf, type FlowDeps } from '../deps';
import { settleRotation } from './webhook-secret';

/** Without these nothing works, whatever else is right. */
const OURSELVES: readonly DriftItem['kind'][] = ['BOT_AGENT_TOKEN', 'BOT_AGENT_ROLE'];

/** Conversations whose syncs failed this many times in a row are inspected, up to a maximum per inspection. */
export const FAILING = { times: 3, most: 20 } as const;

type Found = Pick<AccountHealth, 'state' | 'problem'>;

export function healthOf(items: readonly DriftItem[]): Found {
  const wrong = items.filter((item) => item.problem !== null);
  const worst = wrong.find((item) => OURSELVES.includes(item.kind));
  if (worst) return { state: 'UNAUTHORIZED', problem: { code: 'PROVIDER_AUTH', message: worst.problem! } };
  const [first] = wrong;
  if (!first) return { state: 'HEALTHY', problem: null };
  const others = wrong.length === 1 ? '' : ` And ${wrong.length - 1} more; see supportDrift.`;
  return { state: 'DRIFTED', problem: { code: 'DRIFT', message: `${first.subject}: ${first.problem}${others}` } };
}

/** Returns the health that a failed inspection indicates. Throws errors that are not the provider's. */
export function healthAfter(error: unknown): Found {
  const problem = problemOf(error);
  const state = error instanceof ProviderAuthError ? 'UNAUTHORIZED' : error instanceof ProviderRefusedError ? 'DRIFTED' : 'UNREACHABLE';
  return { state, problem };
}

/**
 * Returns the state that the provider should show for one account, from everything that was created or set here.
 * Disabled inboxes are omitted.
 */
async function desiredOf(deps: FlowDeps, account: AccountRecord): Promise<DesiredState> {
  const { setup } = deps.stores;
  const { organizationId, id } = account;
  const agents = new Map((await setup.agentsOf(organizationId, id)).map((agent) => [agent.id, agent.externalId]));
  const failing = await deps.stores.watches.failingReadings(id, FAILING.times, FAILING.most);
  const theirs = (ids: readonly string[]) => ids.flatMap((agentId) => agents.get(agentId) ?? []);
  return {
    access: accessOf(deps, account),
    owners: account.owners,
    ...(failing.length > 0 && { failingConversations: failing }),
    inboxes: (await setup.inboxesOf(organizationId, id)).flatMap(({ id: inboxId, chatbotId, name, externalId, providerData, memberIds, state, policy }) =>
      (externalId === null || state !== 'READY' ? [] : [{
        inboxId, chatbotId, name, externalId, providerData, members: memberIds && theirs(memberIds), repliesByItself: policy.automaticReplies === 'SEND_ON',
      }])),
    teams: (await setup.teamsOf(organizationId, id)).flatMap(({ externalId, name, memberIds, autoAssign }) =>
      (memberIds === null && autoAssign === null ? [] : [{ externalId, name, members: memberIds && theirs(memberIds), autoAssign }])),
  };
}

export function healthFlows(deps: FlowDeps) {
  const { setup } = deps.stores;
  const tools = setUpTools(deps);

  const record = (account: AccountRecord, found: Found, learned: Partial<AccountRecord> = {}): Promise<AccountRecord> =>
    setup.updateAccount(account.id, { ...learned, health: { ...found, checkedAt: instantOf(deps.clock.now()), seenBy: 'CHECK' } });

  /** Inspects the account and records the result, also when the inspection failed. */
  async function look(account: AccountRecord): Promise<{ readonly account: AccountRecord; readonly items: readonly DriftItem[] }> {
    const verbs = tools.verbs(account, 'drift', 'inspectsDrift');
    try {
      const { items, learned } = await verbs.inspectDrift(await desiredOf(deps, account), tools.signal());
      const found = healthOf(items);
      const recorded = await record(account, found, learned);
      return { account: found.state === 'HEALTHY' ? await settleRotation(deps, recorded) : recorded, items };
    } catch (error) {
      await record(account, healthAfter(error));
      throw error;
    }
  }

  const inInbox = (account: AccountRecord, id: string, repair: Parameters<RepairDrift['inInbox']>[1]): Promise<void> =>
    deps.stores.setUpTurns.inTurn({ id, field: 'accountId' }, deps.limits.setupMs, async turn => {
      const inbox = (await desiredOf(deps, account)).inboxes.find(({ inboxId }) => inboxId === id);
      if (inbox === undefined) return;
      try {
        const made = await repair(inbox, await tools.signalIn(turn, account));
        turn.held();
        if (made !== null) await setup.updateInbox(id, made);
      } catch (error) {
        turn.settlesAfter(settlesAfterMs(error));
        throw error;
      }
    });

  return {
    /**
     * Runs the scheduled inspection of one claimed account: compares it, mirrors its agents and teams, and records its
     * health. An unhealthy account is a result; only our own errors are thrown.
     */
    async checkAccount(account: AccountRecord): Promise<AccountHealth> {
      try {
        // A provider that cannot be inspected at least responds, or does not.
        const looked = account.capabilities.inspectsDrift ? (await look(account)).account : await record(account, { state: 'HEALTHY', problem: null });
        if (looked.health.state !== 'UNAUTHORIZED') await tools.mirrorDirectory(account);
        return looked.health;
      } catch (error) {
        return (await record(account, healthAfter(error))).health;
      }
    },

    /** Records an error of a delivery or a sync at once. */
    async credentialsFailed(organizationId: OrganizationId, sessionId: SessionId, error: SupportError, seenBy: 'DELIVERY' | 'READING'): Promise<void> {
      const problem = { code: error.code, message: error.message };
      await setup.markHealth(organizationId, sessionId, { state: 'UNAUTHORIZED', problem, checkedAt: instantOf(deps.clock.now()), seenBy });
    },

    drift: {
      async inspectDrift(scope: Scope, accountId: string) {
        return (await look(await tools.accountFor(scope, accountId))).items;
      },
      async repairDrift(scope: Scope, accountId: string, items: readonly string[]) {
        const { id } = await tools.accountFor(scope, accountId);
        return deps.stores.setUpTurns.inTurn({ id, field: 'accountId' }, deps.limits.setupMs, async turn => {
          let account = await tools.accountFor(scope, id);
          const signal = await tools.signalIn(turn, account);
          const verbs = tools.verbs(account, 'drift', 'inspectsDrift');
          try {
            await verbs.repairDrift({
              desired: await desiredOf(deps, account), items,
              save: async (progress) => {
                turn.held();
                account = await setup.updateAccount(account.id, progress);
              },
              inInbox: (inboxId, repair) => inInbox(account, inboxId, repair),
            }, signal);
          } catch (error) {
            turn.settlesAfter(settlesAfterMs(error));
            throw error;
          }
          return look(account);
        });
      },
    } satisfies Pick<Flows, 'inspectDrift' | 'repairDrift'>,
  };
}

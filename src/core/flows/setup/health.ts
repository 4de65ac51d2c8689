import { ProviderAuthError, ProviderRefusedError, type SupportError } from '../../errors';
import type { OrganizationId, SessionId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { DesiredState, DriftItem, RepairDrift } from '../../ports/provider/drift';
import type { AccountHealth, AccountRecord } from '../../setup';
import {
  ambiguousForMs,
  mirrorDirectory,
  problemOf,
  requireAccount,
  requireVerbs,
  setupSignal,
  signalUnderLock,
} from './find-account';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import { accessOf, type ProviderDeps, type StoreDeps } from '../deps';
import { expirePreviousSecrets } from './webhook-secret';

/** Without these nothing works, whatever else is right. */
const BOT_AGENT_KINDS: readonly DriftItem['kind'][] = ['BOT_AGENT_TOKEN', 'BOT_AGENT_ROLE'];

/** Conversations whose syncs failed this many times in a row are inspected, up to a maximum per inspection. */
export const FAILING_SYNCS = { failures: 3, maxConversations: 20 } as const;

type HealthFinding = Pick<AccountHealth, 'state' | 'problem'>;

export function healthFromDrift(items: readonly DriftItem[]): HealthFinding {
  const wrong = items.filter(item => item.problem !== null);
  const worst = wrong.find(item => BOT_AGENT_KINDS.includes(item.kind));
  if (worst) return { state: 'UNAUTHORIZED', problem: { code: 'PROVIDER_AUTH', message: worst.problem! } };
  const [first] = wrong;
  if (!first) return { state: 'HEALTHY', problem: null };
  const others = wrong.length === 1 ? '' : ` And ${wrong.length - 1} more; see supportDrift.`;
  return { state: 'DRIFTED', problem: { code: 'DRIFT', message: `${first.subject}: ${first.problem}${others}` } };
}

/** Returns the health that a failed inspection indicates. Throws errors that are not the provider's. */
export function healthFromError(error: unknown): HealthFinding {
  const problem = problemOf(error);
  const state =
    error instanceof ProviderAuthError
      ? 'UNAUTHORIZED'
      : error instanceof ProviderRefusedError
        ? 'DRIFTED'
        : 'UNREACHABLE';
  return { state, problem };
}

/**
 * Returns the state that the provider should show for one account, from everything that was created or set here.
 * Disabled inboxes are omitted.
 */
async function desiredStateOf(deps: ProviderDeps, account: AccountRecord): Promise<DesiredState> {
  const { setup } = deps.stores;
  const { organizationId, id } = account;
  const agents = new Map((await setup.listAgents(organizationId, id)).map(agent => [agent.id, agent.externalId]));
  const failing = await deps.stores.scans.findFailingConversations(
    id,
    FAILING_SYNCS.failures,
    FAILING_SYNCS.maxConversations,
  );
  const externalIdsOf = (ids: readonly string[]) => ids.flatMap(agentId => agents.get(agentId) ?? []);
  return {
    access: accessOf(deps, account),
    owners: account.owners,
    ...(failing.length > 0 && { failingConversations: failing }),
    inboxes: (await setup.listInboxes(organizationId, id)).flatMap(
      ({ id: inboxId, chatbotId, name, externalId, providerData, memberIds, state, policy }) =>
        externalId === null || state !== 'READY'
          ? []
          : [
              {
                inboxId,
                chatbotId,
                name,
                externalId,
                providerData,
                members: memberIds && externalIdsOf(memberIds),
                allowsAutomaticReplies: policy.automaticReplies === 'FORWARD',
              },
            ],
    ),
    teams: (await setup.listTeams(organizationId, id)).flatMap(({ externalId, name, memberIds, autoAssign }) =>
      memberIds === null && autoAssign === null
        ? []
        : [{ externalId, name, members: memberIds && externalIdsOf(memberIds), autoAssign }],
    ),
  };
}

const recordHealth = (
  deps: StoreDeps,
  account: AccountRecord,
  found: HealthFinding,
  learned: Partial<AccountRecord> = {},
): Promise<AccountRecord> =>
  deps.stores.setup.updateAccount(account.id, {
    ...learned,
    health: { ...found, checkedAt: instantOf(deps.clock.now()), source: 'CHECK' },
  });

/** Inspects the account and records the result, also when the inspection failed. */
async function inspectAndRecord(
  deps: ProviderDeps,
  account: AccountRecord,
): Promise<{ readonly account: AccountRecord; readonly items: readonly DriftItem[] }> {
  const verbs = requireVerbs(deps, account, 'drift', 'inspectsDrift');
  try {
    const { items, learned } = await verbs.inspectDrift(await desiredStateOf(deps, account), setupSignal(deps));
    const found = healthFromDrift(items);
    const recorded = await recordHealth(deps, account, found, learned);
    return { account: found.state === 'HEALTHY' ? await expirePreviousSecrets(deps, recorded) : recorded, items };
  } catch (error) {
    await recordHealth(deps, account, healthFromError(error));
    throw error;
  }
}

const withInboxLock = (
  deps: ProviderDeps,
  account: AccountRecord,
  id: string,
  repair: Parameters<RepairDrift['withInboxLock']>[1],
): Promise<void> =>
  deps.stores.setupLocks.withLock({ id, field: 'accountId' }, deps.limits.setupMs, async lock => {
    const inbox = (await desiredStateOf(deps, account)).inboxes.find(({ inboxId }) => inboxId === id);
    if (inbox === undefined) return;
    try {
      const made = await repair(inbox, await signalUnderLock(deps, lock, account));
      lock.ensureHeld();
      if (made !== null) await deps.stores.setup.updateInbox(id, made);
    } catch (error) {
      lock.keepLockedFor(ambiguousForMs(error));
      throw error;
    }
  });

/**
 * Runs the scheduled inspection of one claimed account: compares it, mirrors its agents and teams, and records its
 * health. An unhealthy account is a result; only our own errors are thrown.
 */
async function checkAccount(deps: ProviderDeps, account: AccountRecord): Promise<AccountHealth> {
  try {
    // A provider that cannot be inspected at least responds, or does not.
    const looked = account.capabilities.inspectsDrift
      ? (await inspectAndRecord(deps, account)).account
      : await recordHealth(deps, account, { state: 'HEALTHY', problem: null });
    if (looked.health.state !== 'UNAUTHORIZED') await mirrorDirectory(deps, account);
    return looked.health;
  } catch (error) {
    return (await recordHealth(deps, account, healthFromError(error))).health;
  }
}

/** Records an error of a delivery or a sync at once. */
async function recordFailedCredentials(
  deps: StoreDeps,
  organizationId: OrganizationId,
  sessionId: SessionId,
  error: SupportError,
  source: 'DELIVERY' | 'SYNC',
): Promise<void> {
  const problem = { code: error.code, message: error.message };
  await deps.stores.setup.markHealth(organizationId, sessionId, {
    state: 'UNAUTHORIZED',
    problem,
    checkedAt: instantOf(deps.clock.now()),
    source,
  });
}

async function inspectDrift(deps: ProviderDeps, scope: Scope, accountId: string) {
  return (await inspectAndRecord(deps, await requireAccount(deps, scope, accountId))).items;
}

async function repairDrift(deps: ProviderDeps, scope: Scope, accountId: string, items: readonly string[]) {
  const { id } = await requireAccount(deps, scope, accountId);
  return deps.stores.setupLocks.withLock({ id, field: 'accountId' }, deps.limits.setupMs, async lock => {
    let account = await requireAccount(deps, scope, id);
    const signal = await signalUnderLock(deps, lock, account);
    const verbs = requireVerbs(deps, account, 'drift', 'inspectsDrift');
    try {
      await verbs.repairDrift(
        {
          desired: await desiredStateOf(deps, account),
          items,
          save: async progress => {
            lock.ensureHeld();
            account = await deps.stores.setup.updateAccount(account.id, progress);
          },
          withInboxLock: (inboxId, repair) => withInboxLock(deps, account, inboxId, repair),
        },
        signal,
      );
    } catch (error) {
      lock.keepLockedFor(ambiguousForMs(error));
      throw error;
    }
    return inspectAndRecord(deps, account);
  });
}

/** The scheduled inspection of accounts, and the operators' calls about drift. */
export const healthFlows = (deps: ProviderDeps) => ({
  checkAccount: (account: AccountRecord) => checkAccount(deps, account),
  recordFailedCredentials: (
    organizationId: OrganizationId,
    sessionId: SessionId,
    error: SupportError,
    source: 'DELIVERY' | 'SYNC',
  ) => recordFailedCredentials(deps, organizationId, sessionId, error, source),
  drift: {
    inspectDrift: (scope, accountId) => inspectDrift(deps, scope, accountId),
    repairDrift: (scope, accountId, items) => repairDrift(deps, scope, accountId, items),
  } satisfies Pick<Flows, 'inspectDrift' | 'repairDrift'>,
});

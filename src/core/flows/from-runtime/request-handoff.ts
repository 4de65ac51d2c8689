import { fitEntries } from '../../checks/entries';
import { shortenText } from '../../checks/text';
import { validateUrl, CONTENT_LIMITS } from '../../content/validate-content';
import {
  ConflictError,
  ControlLostError,
  InvalidInputError,
  NotFoundError,
  ProviderAuthError,
  ProviderRefusedError,
  ProviderUnavailableError,
} from '../../errors';
import type { HandoffRecord, HandoffTarget } from '../../handoff';
import type { HandoffId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { SessionTransaction } from '../../ports/session-transaction';
import type { SessionRecord } from '../../session';
import type { AccountRecord, InboxRecord } from '../../setup';
import { createTimeLimit } from '../../time-limit';
import type { Flows } from '../api';
import type { HandoffTargetInput, RequestHandoffResult, RequestHandoffInput } from '../api/handoffs';
import type { Scope } from '../api/scope';
import { newHandoff } from '../handoff/new-handoff';
import { updateControl, transitionHandoff } from '../handoff/transition';
import { conversationAccessOf } from '../provider-context';
import { accessOf, type FlowDeps, type StoreDeps, type ProviderDeps } from '../deps';
import { droppedNote } from '../dropped-note';
import { enqueueOpening, overflowNoteId } from '../handoff/opening';
import { validateId, idempotencyScopeOf, refuseClosed } from './record-message';
import { awaitsSync, syncEnding } from '../from-provider/sync-before-end';
import { HISTORY_MESSAGES } from '../to-provider/transcript';

const MAX_NOTE_TEXT = 10_000;
const MAX_LINKS = 20;
const FIELD_LIMITS = { entries: 50, name: 200, value: MAX_NOTE_TEXT };
const MORE = 'More than the first note holds was handed over:';

/** The text of the context note, shortened to the limits, so that a long input never fails a handoff. */
interface ForAgents extends Pick<HandoffRecord, 'reason' | 'summary' | 'intent' | 'fields' | 'links'> {
  /** The lines of the second note, for what the context note has no room for. */
  readonly more: readonly string[];
}

function fitted(input: RequestHandoffInput): ForAgents {
  const text = (given: string | null): string | null => (given === null ? null : shortenText(given, MAX_NOTE_TEXT));
  const { kept, left } = fitEntries(input.fields, FIELD_LIMITS);
  const links = (input.links ?? []).map(({ label, url }) => ({
    label: label.trim() === '' ? url : shortenText(label, CONTENT_LIMITS.title),
    url,
  }));
  return {
    reason: text(input.reason),
    summary: text(input.summary),
    intent: text(input.intent),
    fields: kept,
    links: links.slice(0, MAX_LINKS),
    more: [
      ...left.map(([name, value]) => `${name}: ${value}`),
      ...links.slice(MAX_LINKS).map(({ label, url }) => `${label}: ${url}`),
    ],
  };
}

/**
 * Refuses invalid machine values, which cannot be shortened. @throws InvalidInputError
 */
function check(input: RequestHandoffInput): void {
  if ((input.resumeTarget?.length ?? 0) > MAX_NOTE_TEXT)
    throw new InvalidInputError(
      'TEXT_TOO_LONG',
      'resumeTarget',
      `resumeTarget has ${input.resumeTarget?.length} characters; at most ${MAX_NOTE_TEXT} fit.`,
    );
  for (const [at, { url }] of (input.links ?? []).entries()) validateUrl(url, `links.${at}.url`);
  if (input.target.team !== null && input.target.agent !== null)
    throw new InvalidInputError(
      'TARGET_AMBIGUOUS',
      'target',
      'Name a team or an agent, not both; the provider would use only one.',
    );
}

/** Finds the target in the mirrored lists. Reads the provider's lists once if the target is unknown. */
async function resolveTarget(
  deps: ProviderDeps,
  account: AccountRecord,
  target: HandoffTargetInput,
): Promise<HandoffTarget> {
  const { setup } = deps.stores;
  const findTarget = async () => ({
    teamId: target.team === null ? null : ((await setup.findTeam(account.id, target.team))?.id ?? null),
    agentId: target.agent === null ? null : ((await setup.findAgent(account.id, target.agent))?.id ?? null),
  });
  const missingParts = (found: HandoffTarget) =>
    (target.team !== null && found.teamId === null) || (target.agent !== null && found.agentId === null);
  let found = await findTarget();
  if (missingParts(found)) {
    const provider = deps.providers.get(account.provider);
    const signal = createTimeLimit(deps.limits.targetLookupMs);
    try {
      if (provider && target.team !== null)
        await setup.syncTeams(account, await provider.instance.listTeams(accessOf(deps, account), signal));
      if (provider && target.agent !== null)
        await setup.syncAgents(account, await provider.instance.listAgents(accessOf(deps, account), signal));
    } catch (error) {
      // The provider may be down. Then only the mirrored lists count.
      if (
        !(
          error instanceof ProviderUnavailableError ||
          error instanceof ProviderAuthError ||
          error instanceof ProviderRefusedError
        )
      )
        throw error;
    }
    found = await findTarget();
  }
  if (target.team !== null && found.teamId === null)
    throw new NotFoundError(
      'TEAM_NOT_FOUND',
      'target.team',
      "No such team in this account; use an id from supportTeams, or the provider's own number, and refreshSupportDirectory after making a team.",
    );
  if (target.agent !== null && found.agentId === null)
    throw new NotFoundError(
      'AGENT_NOT_FOUND',
      'target.agent',
      "No such agent in this account; use an id from supportAgents, or the provider's own number, and refreshSupportDirectory after adding an agent.",
    );
  return found;
}

/** Returns how many messages of the history may be posted one by one within the provider's rate limit. */
function roomFor(
  deps: ProviderDeps,
  session: SessionRecord,
  inbox: InboxRecord | null,
  account: AccountRecord | null,
): number {
  const provider = account === null ? undefined : deps.providers.get(account.provider)?.instance;
  if (inbox === null || account === null || provider?.postingCapacity === undefined) return HISTORY_MESSAGES;
  return Math.min(
    HISTORY_MESSAGES,
    Math.max(
      1,
      provider.postingCapacity(
        conversationAccessOf(deps, { provider, account, inbox, session, loadedAt: deps.clock.now() }),
      ),
    ),
  );
}

/** A request met a handoff whose last sync is awaited. The transaction rolls back; the request runs again after it. */
class SyncAwaitedError extends Error {
  constructor(readonly ending: HandoffRecord) {
    super('The sync of the handoff that ends is still awaited.');
  }
}

/**
 * Runs a request. If an ending handoff awaits a sync, syncs first and runs it again. `synced`: the handoff that was
 * synced, null at first.
 */
async function afterSyncOfEnding<T>(deps: FlowDeps, begin: (synced: HandoffId | null) => Promise<T>): Promise<T> {
  for (let synced: HandoffId | null = null; ; )
    try {
      return await begin(synced);
    } catch (error) {
      if (!(error instanceof SyncAwaitedError)) throw error;
      await syncEnding(deps, error.ending);
      synced = error.ending.id;
    }
}

type Begun = Omit<RequestHandoffResult, 'replayed'>;

interface CheckedRequest {
  readonly input: RequestHandoffInput;
  readonly forAgents: ForAgents;
  readonly target: HandoffTarget;
  /** As `roomFor` has it. */
  readonly room: number;
}

/** @throws SyncAwaitedError, ControlLostError, ConflictError ACCOUNT_DISABLED */
async function beginRequested(
  tx: SessionTransaction,
  deps: StoreDeps,
  request: CheckedRequest,
  synced: HandoffId | null,
): Promise<Begun> {
  const {
    input,
    target,
    room,
    forAgents: { more, ...forAgents },
  } = request;
  if (tx.inbox.state === 'DISABLED')
    throw new ConflictError(
      'ACCOUNT_DISABLED',
      'sessionId',
      'Support is disabled for this chatbot, so nobody can be asked for; enable it again first.',
    );
  const live = tx.liveHandoff;
  if (live !== null && live.state !== 'ENDING') return { handoff: live, session: tx.session, alreadyLive: true };
  // The epoch was right when the request came; our own sync may have raised it.
  if (synced === null && input.epoch !== null && input.epoch !== tx.session.epoch)
    throw new ControlLostError(tx.session.control, tx.session.epoch);
  if (live !== null) {
    if (live.id !== synced && awaitsSync(live, deps.clock.now())) throw new SyncAwaitedError(live);
    // That handoff is ending, so the new request cannot join it. Its messages and its outcome come first.
    await transitionHandoff(tx, deps, live, 'DRAINED');
  }
  const at = instantOf(deps.clock.now());
  const handoff = await tx.insertHandoff(
    newHandoff({
      id: deps.clock.newId(),
      state: 'REQUESTED',
      origin: 'REQUESTED',
      ...forAgents,
      priority: input.priority,
      target,
      resumeTarget: input.resumeTarget,
      historyThroughSeq: tx.session.lastMessageSeq,
      requestedAt: at,
    }),
  );
  await tx.updateSession({ liveHandoffId: handoff.id });
  await tx.appendEvent(
    { type: 'HANDOFF_CHANGED', from: null, to: 'REQUESTED', cause: 'REQUESTED', endReason: null, agentName: null },
    handoff.id,
    at,
  );
  await updateControl(tx, deps, handoff, 'REQUESTED');
  await enqueueOpening(tx, handoff, room);
  if (more.length > 0) await tx.enqueueForProvider(droppedNote(overflowNoteId(handoff.id), MORE, more));
  return { handoff, session: tx.session, alreadyLive: false };
}

export function requestHandoffFlows(deps: FlowDeps): Pick<Flows, 'requestHandoff'> {
  return {
    async requestHandoff(scope: Scope, input: RequestHandoffInput): Promise<RequestHandoffResult> {
      check(input);
      const forAgents = fitted(input);
      validateId(input.idempotencyKey, 'idempotencyKey');
      const session = await deps.stores.sessions.get(scope.organizationId, input.sessionId);
      if (session === null)
        throw new NotFoundError('SESSION_NOT_FOUND', 'sessionId', 'No such session; open it with openSupportSession.');
      let target: HandoffTarget | NotFoundError = { teamId: null, agentId: null };
      const inbox = await deps.stores.setup.findInbox(scope.organizationId, session.inboxId);
      const account = inbox && (await deps.stores.setup.findAccount(scope.organizationId, inbox.accountId));
      const room = roomFor(deps, session, inbox, account);
      if (input.target.team !== null || input.target.agent !== null) {
        if (!account)
          throw new NotFoundError(
            'ACCOUNT_NOT_FOUND',
            'sessionId',
            "The session's inbox has no support account; enable support for the organization.",
          );
        // Thrown inside the transaction, so that a repeat still gets its stored result after the team was deleted.
        target = await resolveTarget(deps, account, input.target).catch((error: unknown) => {
          if (error instanceof NotFoundError) return error;
          throw error;
        });
      }
      const begin = (synced: HandoffId | null) =>
        deps.stores.sessions.transact(
          scope.organizationId,
          input.sessionId,
          async tx => {
            refuseClosed(tx);
            if (target instanceof NotFoundError) throw target;
            return beginRequested(tx, deps, { input, forAgents, target, room }, synced);
          },
          idempotencyScopeOf(deps, scope, 'requestHandoff', input),
        );
      const { result, replayed } = await afterSyncOfEnding(deps, begin);
      return { ...result, replayed };
    },
  };
}

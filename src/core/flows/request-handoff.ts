import { checkedUrl, CONTENT_LIMITS } from '../content/check';
import { ConflictError, ControlLostError, InvalidInputError, NotFoundError, ProviderAuthError, ProviderRefusedError, ProviderUnavailableError } from '../errors';
import type { HandoffLink, HandoffTarget } from '../handoff';
import { instantOf } from '../ports/clock';
import type { SessionRecord } from '../session';
import type { AccountRecord, InboxRecord } from '../setup';
import { timeLimit } from '../time-limit';
import type { Flows, HandoffTargetInput, RequestHandoffAnswer, RequestHandoffInput, Scope } from './api';
import { deriveControl, moveHandoff } from './change-handoff';
import { conversationOf } from './conversation';
import { accessOf, type FlowDeps } from './deps';
import { enqueueOpening } from './opening';
import { checkedId, idempotencyOf, refuseClosed } from './say';
import { HISTORY_MESSAGES } from './transcript';

const MAX_NOTE_TEXT = 10_000;
const MAX_FIELDS = 50;
const MAX_LINKS = 20;

function checked(input: RequestHandoffInput): void {
  for (const field of ['reason', 'summary', 'intent', 'resumeTarget'] as const)
    if ((input[field]?.length ?? 0) > MAX_NOTE_TEXT)
      throw new InvalidInputError('TEXT_TOO_LONG', field, `${field} has ${input[field]?.length} characters; at most ${MAX_NOTE_TEXT} fit.`);
  const fields = Object.entries(input.fields);
  if (fields.length > MAX_FIELDS || fields.some(([key, value]) => key.length > 200 || value.length > MAX_NOTE_TEXT))
    throw new InvalidInputError('INPUT_INVALID', 'fields', `fields takes at most ${MAX_FIELDS} entries with names up to 200 and values up to ${MAX_NOTE_TEXT} characters.`);
  checkLinks(input.links ?? []);
  if (input.target.team !== null && input.target.agent !== null)
    throw new InvalidInputError('TARGET_AMBIGUOUS', 'target', 'Name a team or an agent, not both; the provider would use only one.');
}

function checkLinks(links: readonly HandoffLink[]): void {
  if (links.length > MAX_LINKS) throw new InvalidInputError('INPUT_INVALID', 'links', `links has ${links.length} entries; at most ${MAX_LINKS} fit.`);
  for (const [at, { label, url }] of links.entries()) {
    if (label.trim() === '' || label.length > CONTENT_LIMITS.title)
      throw new InvalidInputError('INPUT_INVALID', `links.${at}.label`, `links.${at}.label takes 1 to ${CONTENT_LIMITS.title} characters.`);
    checkedUrl(url, `links.${at}.url`);
  }
}

/** The account's mirrored lists first; a number that nobody has listed yet is asked for once, within a short limit. */
async function resolveTarget(deps: FlowDeps, account: AccountRecord, target: HandoffTargetInput): Promise<HandoffTarget> {
  const { setup } = deps.stores;
  const find = async () => ({
    teamId: target.team === null ? null : (await setup.findTeam(account.id, target.team))?.id ?? null,
    agentId: target.agent === null ? null : (await setup.findAgent(account.id, target.agent))?.id ?? null,
  });
  const missing = (found: HandoffTarget) => (target.team !== null && found.teamId === null) || (target.agent !== null && found.agentId === null);
  let found = await find();
  if (missing(found)) {
    const provider = deps.providers.get(account.provider);
    const signal = timeLimit(deps.limits.targetLookupMs);
    try {
      if (provider && target.team !== null) await setup.syncTeams(account, await provider.instance.listTeams(accessOf(deps, account), signal));
      if (provider && target.agent !== null) await setup.syncAgents(account, await provider.instance.listAgents(accessOf(deps, account), signal));
    } catch (error) {
      // The provider may be down: then only what we know counts, and the answer below says so.
      if (!(error instanceof ProviderUnavailableError || error instanceof ProviderAuthError || error instanceof ProviderRefusedError)) throw error;
    }
    found = await find();
  }
  if (target.team !== null && found.teamId === null)
    throw new NotFoundError('TEAM_NOT_FOUND', 'target.team', 'No such team in this account; use an id from supportTeams, or the provider\'s own number, and refreshSupportDirectory after making a team.');
  if (target.agent !== null && found.agentId === null)
    throw new NotFoundError('AGENT_NOT_FOUND', 'target.agent', 'No such agent in this account; use an id from supportAgents, or the provider\'s own number, and refreshSupportDirectory after adding an agent.');
  return found;
}

/** How many messages of the history may be posted one by one without taking the conversation from the agents. */
function roomFor(deps: FlowDeps, session: SessionRecord, inbox: InboxRecord | null, account: AccountRecord | null): number {
  const provider = account === null ? undefined : deps.providers.get(account.provider)?.instance;
  if (inbox === null || account === null || provider?.postingRoom === undefined) return HISTORY_MESSAGES;
  return Math.min(HISTORY_MESSAGES, Math.max(1, provider.postingRoom(conversationOf(deps, { provider, account, inbox, session, asOf: deps.clock.now() }))));
}

export function requestHandoffFlow(deps: FlowDeps): Pick<Flows, 'requestHandoff'> {
  return {
    async requestHandoff(scope: Scope, input: RequestHandoffInput): Promise<RequestHandoffAnswer> {
      checked(input);
      checkedId(input.idempotencyKey, 'idempotencyKey');
      const session = await deps.stores.sessions.get(scope.organizationId, input.sessionId);
      if (session === null) throw new NotFoundError('SESSION_NOT_FOUND', 'sessionId', 'No such session; open it with openSupportSession.');
      let target: HandoffTarget | NotFoundError = { teamId: null, agentId: null };
      const inbox = await deps.stores.setup.inbox(scope.organizationId, session.inboxId);
      const account = inbox && await deps.stores.setup.account(scope.organizationId, inbox.accountId);
      const room = roomFor(deps, session, inbox, account);
      if (input.target.team !== null || input.target.agent !== null) {
        if (!account) throw new NotFoundError('ACCOUNT_NOT_FOUND', 'sessionId', 'The session\'s inbox has no support account; enable support for the organization.');
        // Raised only behind the stored answers: a repeat is answered as the first time, also when the team is gone since.
        target = await resolveTarget(deps, account, input.target).catch((error: unknown) => { if (error instanceof NotFoundError) return error; throw error; });
      }
      const { answer, replayed } = await deps.stores.sessions.transact(scope.organizationId, input.sessionId, async tx => {
        refuseClosed(tx);
        if (target instanceof NotFoundError) throw target;
        if (tx.inbox.state === 'DISABLED')
          throw new ConflictError('ACCOUNT_DISABLED', 'sessionId', 'Support is disabled for this chatbot, so nobody can be asked for; enable it again first.');
        const live = tx.liveHandoff;
        if (live !== null && live.state !== 'ENDING') return { handoff: live, session: tx.session, alreadyLive: true };
        if (input.epoch !== null && input.epoch !== tx.session.epoch) throw new ControlLostError(tx.session.control, tx.session.epoch);
        // People have left that one: joining it would lose the wish. Its words and its outcome still come first, in order.
        if (live !== null) await moveHandoff(tx, deps, live, 'DRAINED');
        const at = instantOf(deps.clock.now());
        const handoff = await tx.insertHandoff({
          id: deps.clock.newId(), state: 'REQUESTED', origin: 'REQUESTED', reason: input.reason, summary: input.summary, intent: input.intent,
          fields: input.fields, links: input.links ?? [], priority: input.priority, target, agent: null, resumeTarget: input.resumeTarget,
          historyThroughSeq: tx.session.lastMessageSeq, openedForAgents: 'NO', timesLost: 0, openings: 1, endReason: null, failureCode: null, requestedAt: at, queuedAt: null,
          assignedAt: null, activeAt: null, endingAt: null, endedAt: null, drainBy: null, syncBy: null,
        });
        await tx.updateSession({ liveHandoffId: handoff.id });
        await tx.appendEvent({ type: 'HANDOFF_CHANGED', from: null, to: 'REQUESTED', cause: 'REQUESTED', endReason: null, agentName: null }, handoff.id, at);
        await deriveControl(tx, deps, handoff, 'REQUESTED');
        await enqueueOpening(tx, handoff, room);
        return { handoff, session: tx.session, alreadyLive: false };
      }, idempotencyOf(deps, scope, 'requestHandoff', input));
      return { ...answer, replayed };
    },
  };
}

import { decideView, type ViewEffect, type ViewState } from '../../../src/core/flows/from-provider/changes-state';
import { isViewCurrent } from '../../../src/core/flows/from-provider/sync-conversation';
import type { HandoffRecord } from '../../../src/core/handoff';
import type { ConversationView } from '../../../src/core/conversation-view';

const NOW = Date.parse('2026-01-02T12:00:00Z');
const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1_000).toISOString();

const alice = { externalId: '7', name: 'Alice' };
const bob = { externalId: '8', name: 'Bob' };
const listedAlice = { id: 'agent-7', ...alice };
const AGENTS = new Map([['7', listedAlice]]);

const view = (status: ConversationView['status'], more: Partial<ConversationView> = {}): ConversationView => ({
  status,
  agent: null,
  teamId: null,
  ...more,
});
const BOT_HELD = view('BOT_HELD');

interface Given {
  readonly lastView?: ConversationView | null;
  readonly stateReadAt?: string | null;
  readonly closedAt?: string;
  readonly lastEnding?: unknown;
  readonly inboxState?: 'DISABLED';
  readonly reenabledAt?: string;
  readonly live?: Partial<HandoffRecord>;
}

/** By default: a conversation that the bot holds, and no handoff. */
const stateOf = ({ inboxState, reenabledAt, live, ...session }: Given): ViewState =>
  ({
    now: NOW,
    session: {
      lastView: BOT_HELD,
      stateReadAt: at(60),
      openedAt: at(600),
      closedAt: null,
      lastEnding: null,
      ...session,
    },
    inbox: { state: inboxState ?? 'READY', reenabledAt: reenabledAt ?? null },
    liveHandoff: live ? { id: 'h', agent: null, openedForAgents: 'YES', ...live } : null,
  }) as unknown as ViewState;

const STORE: ViewEffect = { kind: 'STORE_VIEW' };
const RETURN_DUE = { handoffId: 'h', endedAt: at(10), returnedAt: null };

it.each<[string, Given, ConversationView, readonly ViewEffect[]]>([
  ['nothing new', {}, BOT_HELD, [STORE]],
  [
    'an agent takes the bot’s conversation',
    {},
    view('BOT_HELD', { agent: alice }),
    [{ kind: 'BEGIN_TAKEOVER', state: 'ASSIGNED', agent: listedAlice }, STORE],
  ],
  [
    'an agent who is in no list opens it',
    {},
    view('OPEN', { agent: bob }),
    [{ kind: 'BEGIN_TAKEOVER', state: 'ASSIGNED', agent: { id: null, ...bob } }, STORE],
  ],
  [
    'somebody opens it for the queue',
    {},
    view('OPEN'),
    [{ kind: 'BEGIN_TAKEOVER', state: 'QUEUED', agent: null }, STORE],
  ],
  ['it is resolved', {}, view('RESOLVED', { agent: alice }), [STORE]],
  [
    'a resolved one is open again',
    { lastView: view('RESOLVED') },
    view('OPEN'),
    [{ kind: 'RETURN_OR_TAKE_OVER', openedAfter: at(60), state: 'QUEUED', agent: null }, STORE],
  ],
  [
    'a resolved one is open with its old agent',
    { lastView: view('RESOLVED', { agent: alice }) },
    view('OPEN', { agent: alice }),
    [{ kind: 'RETURN_OR_TAKE_OVER', openedAfter: at(60), state: 'ASSIGNED', agent: listedAlice }, STORE],
  ],
  ['an open one stays open', { lastView: view('OPEN') }, view('OPEN'), [STORE]],
  ['the first view has an agent', { lastView: null }, view('OPEN', { agent: alice }), [STORE]],
  [
    'the last view is from before support was disabled',
    { reenabledAt: at(30) },
    view('OPEN', { agent: alice }),
    [STORE],
  ],
  ['the session is closed', { closedAt: at(5) }, view('OPEN', { agent: alice }), [STORE]],
  ['support is disabled', { inboxState: 'DISABLED' }, view('OPEN', { agent: alice }), []],
  ['our return is under way', { lastEnding: RETURN_DUE }, view('OPEN', { agent: alice }), []],
  [
    'our return has been due for long',
    { lastEnding: { ...RETURN_DUE, endedAt: at(61) } },
    view('OPEN'),
    [{ kind: 'BEGIN_TAKEOVER', state: 'QUEUED', agent: null }, STORE],
  ],
])('without a handoff: %s', (_what, given, seen, effects) => {
  expect(decideView(stateOf(given), seen, AGENTS)).toEqual(effects);
});

const QUEUED: Given = { lastView: view('OPEN', { teamId: '1' }), live: { state: 'QUEUED' } };
const ASSIGNED: Given = { lastView: view('OPEN', { agent: alice }), live: { state: 'ASSIGNED', agent: listedAlice } };
const REPLIED: Given = { lastView: view('OPEN', { teamId: '1' }), live: { state: 'ACTIVE', agent: listedAlice } };
const ON_HOLD: Given = { lastView: view('ON_HOLD', { agent: alice }), live: { state: 'ON_HOLD', agent: listedAlice } };

it.each<[string, Given, ConversationView, readonly ViewEffect[]]>([
  [
    'not opened yet',
    { live: { state: 'REQUESTED', openedForAgents: 'MAYBE' } },
    view('OPEN', { agent: alice }),
    [STORE],
  ],
  ['ending', { live: { state: 'ENDING' } }, view('RESOLVED'), []],
  [
    'assigned',
    QUEUED,
    view('OPEN', { agent: alice }),
    [{ kind: 'MOVE', cause: 'ASSIGNED', agent: listedAlice }, STORE],
  ],
  ['resolved from the queue', QUEUED, view('RESOLVED'), [{ kind: 'END', reason: 'AGENT_RESOLVED' }, STORE]],
  [
    'resolved by an agent',
    QUEUED,
    view('RESOLVED', { agent: alice }),
    [{ kind: 'MOVE', cause: 'ASSIGNED', agent: listedAlice }, { kind: 'END', reason: 'AGENT_RESOLVED' }, STORE],
  ],
  ['returned to the bot', ASSIGNED, BOT_HELD, [{ kind: 'END', reason: 'AGENT_RETURNED' }, STORE]],
  [
    'returned with a priority on it',
    ASSIGNED,
    { ...BOT_HELD, hasResidue: true },
    [{ kind: 'END', reason: 'AGENT_RETURNED' }, { kind: 'RETURN_TO_BOT', handoffId: 'h' }, STORE],
  ],
  [
    'put on hold',
    ASSIGNED,
    view('ON_HOLD', { agent: alice }),
    [{ kind: 'MOVE', cause: 'SNOOZED', agent: listedAlice }, STORE],
  ],
  ['put on hold in the queue', QUEUED, view('ON_HOLD'), [{ kind: 'MOVE', cause: 'SNOOZED' }, STORE]],
  [
    'in the queue again after a hold',
    { lastView: view('ON_HOLD'), live: { state: 'ON_HOLD' } },
    view('OPEN'),
    [{ kind: 'MOVE', cause: 'UNASSIGNED' }, STORE],
  ],
  [
    'taken off hold',
    ON_HOLD,
    view('OPEN', { agent: alice }),
    [{ kind: 'MOVE', cause: 'UNSNOOZED' }, { kind: 'MOVE', cause: 'ASSIGNED', agent: listedAlice }, STORE],
  ],
  [
    'off hold without its agent',
    ON_HOLD,
    view('OPEN'),
    [{ kind: 'MOVE', cause: 'UNSNOOZED' }, { kind: 'MOVE', cause: 'UNASSIGNED' }, STORE],
  ],
  ['unassigned', ASSIGNED, view('OPEN'), [{ kind: 'MOVE', cause: 'UNASSIGNED' }, STORE]],
  ['passed to a team', ASSIGNED, view('OPEN', { teamId: '1' }), [{ kind: 'MOVE', cause: 'TEAM_CHANGED' }, STORE]],
  ['an agent replied without being assigned', REPLIED, view('OPEN', { teamId: '1' }), [STORE]],
  [
    'that one passes it to another team',
    REPLIED,
    view('OPEN', { teamId: '2' }),
    [{ kind: 'MOVE', cause: 'TEAM_CHANGED' }, STORE],
  ],
  ['its team is gone', REPLIED, view('OPEN'), [STORE]],
  ['another team in the queue', QUEUED, view('OPEN', { teamId: '2' }), [STORE]],
])('with a live handoff: %s', (_what, given, seen, effects) => {
  expect(decideView(stateOf(given), seen, AGENTS)).toEqual(effects);
});

const began = { statusWrites: 2, stateReadAt: at(60), lastView: BOT_HELD };
it.each([
  ['nothing changed since', began, began, true],
  ['we were writing when it began', { ...began, statusWrites: 3 }, { ...began, statusWrites: 3 }, false],
  ['we wrote since', began, { ...began, statusWrites: 4 }, false],
  ['another sync has read since', began, { ...began, stateReadAt: at(1) }, false],
  ['another view was stored since', began, { ...began, lastView: view('OPEN') }, false],
])('a view is believed unless something overlapped: %s', (_what, before, now, isBelieved) => {
  expect(isViewCurrent(before, now)).toBe(isBelieved);
});

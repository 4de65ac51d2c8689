import { actAs, follow, get } from './api.js';
import { Composer } from './composer.js';
import { List } from './list.js';
import { byId, element, setText } from './show.js';
import { Thread } from './thread.js';

/**
 * Poll interval while the change stream is connected. Polling shows what no change event reports, e.g. an ended snooze
 * or how long an end-user has waited.
 */
const LIVE_MS = 20_000;
/** Poll interval while the change stream is not connected. */
const TRY_AGAIN_MS = 2_000;
const parameters = new URLSearchParams(location.search);

const list = new List(id => void choose(id));
const thread = new Thread(refresh);
const composer = new Composer(refresh);

/** State that a reload of this tab restores. It is per tab, because another tab may be used by another agent. */
const remembered = {
  get: key => sessionStorage.getItem(`desk:${key}`) ?? parameters.get(key) ?? '',
  set: (key, value) => sessionStorage.setItem(`desk:${key}`, value),
};

async function choose(id) {
  remembered.set('conversation', id);
  list.choose(id);
  composer.open(id);
  byId('composer').hidden = thread.agentId === null;
  byId('main').dataset.showing = 'thread';
  await watched(() => thread.open(id));
  if (thread.agentId !== null && matchMedia('(min-width: 34rem)').matches) byId('text').focus();
  else byId('thread-title').focus();
}

function become(id) {
  const agentId = id || null;
  remembered.set('agent', id);
  actAs(agentId);
  list.agentId = agentId;
  thread.agentId = agentId;
  byId('composer').hidden = agentId === null || thread.id === null;
  void refresh();
}

const OFFLINE =
  'Offline: the desk cannot be reached, and this page may be out of date. Your text stays here; send it when this line is gone.';

/**
 * Shows a failure of `work` in the connection line, and clears the line after a success. Other errors are shown at the
 * control that caused them.
 */
async function watched(work) {
  try {
    await work();
    setText(byId('connection'), '');
  } catch (problem) {
    setText(byId('connection'), problem.code === 'UNREACHABLE' ? OFFLINE : problem.message);
  }
}

async function refresh() {
  await watched(() => Promise.all([list.refresh(), thread.refresh()]));
}

async function showPeople() {
  const [{ agents }, { teams }] = await Promise.all([get('agents'), get('teams')]);
  const isSame = JSON.stringify(thread.people) === JSON.stringify({ agents, teams });
  thread.people = { agents, teams };
  const select = byId('agent');
  const wanted = (select.value || remembered.get('agent')).toLowerCase();
  if (!isSame)
    select.replaceChildren(
      element('option', { value: '' }, 'Choose…'),
      ...agents.map(({ id, name }) => element('option', { value: id }, name)),
    );
  const found = agents.find(({ id, name, email }) => [id, name.toLowerCase(), email?.toLowerCase()].includes(wanted));
  select.value = found?.id ?? '';
  if (select.value !== (thread.agentId ?? '')) become(select.value);
}

let isRunning = false;
let isFollowing = false;
let isStale = false;
let next;

/** Refreshes the page and schedules the next refresh. Two refreshes never run at once. */
async function live() {
  if (isRunning) {
    isStale = true;
    return;
  }
  isRunning = true;
  isStale = false;
  clearTimeout(next);
  // Agents and teams change rarely: loaded until there are some, and each time the agent selector gets the focus.
  await watched(async () => {
    if (thread.people.agents.length === 0) await showPeople();
    await Promise.all([list.refresh(), thread.refresh()]);
  });
  isRunning = false;
  next = setTimeout(() => void live(), isStale ? 0 : isFollowing ? LIVE_MS : TRY_AGAIN_MS);
}

/** Follows the change stream and reconnects after it ends. */
async function listen() {
  for (;;) {
    await follow(() => {
      isFollowing = true;
      void live();
    }).catch(() => undefined);
    if (isFollowing) void live();
    isFollowing = false;
    await new Promise(resolve => {
      setTimeout(resolve, TRY_AGAIN_MS);
    });
  }
}

byId('agent').addEventListener('change', event => become(event.target.value));
byId('agent').addEventListener('focus', () => void watched(showPeople));
byId('back').addEventListener('click', () => {
  byId('main').dataset.showing = 'list';
  document.querySelector('#conversations [aria-current=true]')?.focus();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void live();
});
addEventListener('offline', () => setText(byId('connection'), OFFLINE));
addEventListener('online', () => void live());

void listen();
await live();
if (remembered.get('conversation')) void choose(remembered.get('conversation'));

import { actAs, get } from './api.js';
import { Composer } from './composer.js';
import { List } from './list.js';
import { byId, element, setText } from './show.js';
import { Thread } from './thread.js';

const LIVE_MS = 1_000;
const HIDDEN_MS = 10_000;
const parameters = new URLSearchParams(location.search);

const list = new List((id) => void choose(id));
const thread = new Thread(refresh);
const composer = new Composer(refresh);

async function choose(id) {
  list.choose(id);
  composer.open(id);
  byId('composer').hidden = thread.agentId === null;
  byId('main').dataset.showing = 'thread';
  await watched(thread.open(id));
  if (thread.agentId !== null && matchMedia('(min-width: 34rem)').matches) byId('text').focus();
  else byId('thread-title').focus();
}

function become(id) {
  const agentId = id || null;
  actAs(agentId);
  list.agentId = agentId;
  thread.agentId = agentId;
  byId('composer').hidden = agentId === null || thread.id === null;
  void refresh();
}

/** Says that the connection is lost, and that it is back; what else goes wrong is said where it was asked for. */
async function watched(work) {
  try {
    await work;
    setText(byId('connection'), '');
  } catch (problem) {
    setText(byId('connection'), problem.code === 'UNREACHABLE' ? 'Connection lost, trying again…' : problem.message);
  }
}

async function refresh() {
  await watched(Promise.all([list.refresh(), thread.refresh()]));
}

async function showPeople() {
  const [{ agents }, { teams }] = await Promise.all([get('agents'), get('teams')]);
  const isSame = JSON.stringify(thread.people) === JSON.stringify({ agents, teams });
  thread.people = { agents, teams };
  const select = byId('agent');
  const wanted = (select.value || parameters.get('agent') || '').toLowerCase();
  if (!isSame) select.replaceChildren(element('option', { value: '' }, 'Choose…'), ...agents.map(({ id, name }) => element('option', { value: id }, name)));
  const found = agents.find(({ id, name, email }) => [id, name.toLowerCase(), email?.toLowerCase()].includes(wanted));
  select.value = found?.id ?? '';
  if (select.value !== (thread.agentId ?? '')) become(select.value);
}

let isRunning = false;
let next;

/** One round after the other, never two at once; slower while nobody looks. */
async function live() {
  if (isRunning) return;
  isRunning = true;
  clearTimeout(next);
  // People and teams change seldom: asked for until there are some, and each time that somebody goes to choose.
  await watched(thread.people.agents.length === 0 ? showPeople().then(refresh) : refresh());
  isRunning = false;
  next = setTimeout(() => void live(), document.hidden ? HIDDEN_MS : LIVE_MS);
}

byId('agent').addEventListener('change', (event) => become(event.target.value));
byId('agent').addEventListener('focus', () => void watched(showPeople()));
byId('back').addEventListener('click', () => {
  byId('main').dataset.showing = 'list';
  document.querySelector('#conversations [aria-current=true]')?.focus();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) void live(); });

void live();
if (parameters.get('conversation')) void choose(parameters.get('conversation'));

import { byId, el } from './dom.js';

/** Shows the agents' page of the provider in a frame. */
export function createAgentsFrame(agentPages) {
  const frame = byId('agents-frame'),
    choice = byId('agents-choice'),
    link = byId('agents-link');

  function show({ path, title }) {
    frame.src = path;
    frame.title = title;
    link.href = path;
    byId('agents-page-title').textContent = title.split(':')[0];
  }

  if (agentPages.length === 0) {
    byId('no-agents-page').hidden = false;
    frame.hidden = true;
    link.hidden = true;
    return;
  }
  choice.replaceChildren(...agentPages.map(({ path, title }) => el('option', { value: path }, title.split(':')[0])));
  byId('agents-choice-label').hidden = agentPages.length < 2;
  choice.addEventListener('change', () => show(agentPages.find(({ path }) => path === choice.value)));
  show(agentPages[0]);
}

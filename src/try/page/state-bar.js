import { byId } from './dom.js';

const CONNECTIONS = { connecting: 'connecting…', open: 'live', waiting: 'reconnecting…', refused: 'refused by the service' };

/** Who may answer now, as the subscription tells it. */
export function createStateBar() {
  const holders = [...byId('holders').children];

  function show({ control, epoch, handoffState, handoff }) {
    for (const holder of holders) {
      if (holder.dataset.control === control) holder.setAttribute('aria-current', 'true');
      else holder.removeAttribute('aria-current');
    }
    const isLive = handoffState !== null && !['ENDED', 'REJECTED', 'FAILED'].includes(handoffState);
    const agent = handoff?.agent?.name ?? null;
    document.body.dataset.control = control;
    put('state-control', control);
    put('state-epoch', epoch === null ? '–' : String(epoch));
    put('state-handoff', handoffState ?? 'none');
    put('state-agent', isLive ? agent ?? 'nobody yet' : '–');
    put('state-sentence', sentence(control, handoffState, agent));
    byId('when-bot').hidden = control !== 'BOT';
    byId('when-not-bot').hidden = control === 'BOT';
    byId('cancel').textContent = control === 'NONE' ? 'Stop waiting' : 'End the talk';
    byId('cancel').disabled = !isLive || handoffState === 'ENDING';
  }

  return {
    show,
    connection(state) { byId('connection').dataset.state = state; put('connection-text', CONNECTIONS[state]); },
  };
}

function sentence(control, handoffState, agent) {
  if (control === 'BOT') return 'The bot answers.';
  if (handoffState === 'ENDING') return 'The last words are on their way.';
  if (handoffState === 'ON_HOLD') return `${agent ?? 'The agent'} put this aside.`;
  if (control === 'HUMAN') return `${agent ?? 'A person'} answers.`;
  return handoffState === 'QUEUED' ? 'In the queue for a person.' : 'Asking for a person.';
}

/** Only what changed, so that screen readers are not told the same again. */
function put(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

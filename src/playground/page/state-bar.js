import { byId } from './dom.js';

const CONNECTIONS = {
  connecting: 'connecting…',
  open: 'live',
  waiting: 'reconnecting…',
  refused: 'refused by the service',
};

/** Shows who may answer, as the subscription reports it. */
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
    put('state-agent', isLive ? (agent ?? 'none yet') : '–');
    put('state-sentence', sentence(control, handoffState, agent));
    byId('when-bot').hidden = control !== 'BOT';
    byId('when-not-bot').hidden = control === 'BOT';
    byId('cancel').textContent = control === 'NONE' ? 'Stop waiting' : 'End the handoff';
    byId('cancel').disabled = !isLive || handoffState === 'ENDING';
  }

  return {
    show,
    connection(state) {
      byId('connection').dataset.state = state;
      put('connection-text', CONNECTIONS[state]);
    },
  };
}

function sentence(control, handoffState, agent) {
  if (control === 'BOT') return 'The bot answers.';
  if (handoffState === 'ENDING') return 'The last messages are being delivered.';
  if (handoffState === 'ON_HOLD') return `${agent ?? 'The agent'} put this on hold.`;
  if (control === 'HUMAN') return `${agent ?? 'An agent'} answers.`;
  return handoffState === 'QUEUED' ? 'In the queue for an agent.' : 'Requesting an agent.';
}

/** Writes only changed text, so that screen readers do not repeat it. */
function put(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

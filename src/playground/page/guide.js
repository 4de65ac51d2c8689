import { byId, el } from './dom.js';

const STEPS = [
  { key: 'ask', title: 'Ask the bot', hint: 'Write to it on the left, or press one of the suggestions.' },
  {
    key: 'person',
    title: 'Ask for a person',
    hint: 'Write “I want to talk to a person”. The bot falls silent at once.',
  },
  {
    key: 'take',
    title: 'Take it on the right',
    hint: 'Choose who you are, open the conversation that waits, and take it.',
  },
  {
    key: 'talk',
    title: 'Talk both ways',
    hint: 'Answer from both sides. A note for colleagues never appears on the left.',
  },
  { key: 'resolve', title: 'Resolve it', hint: 'Resolve it on the right: the bot gets the outcome.' },
  { key: 'back', title: 'The bot is back', hint: 'Ask the bot something again.' },
];
const DONE = 'That is the whole way there and back. Under “More to try” there is what goes wrong in real life.';

/** Marks the steps of the story as done while they happen. */
export function createGuide(list) {
  const items = STEPS.map(({ key, title, hint }, i) =>
    el(
      'li',
      { 'data-step': key, 'data-testid': `step-${key}` },
      el('span', { class: 'number', 'aria-hidden': true }, String(i + 1)),
      el('span', { class: 'words' }, el('span', { class: 'title' }, title), el('span', { class: 'hint' }, hint)),
    ),
  );
  list.replaceChildren(...items);

  return function show(lines) {
    const done = progress(lines);
    const current = STEPS.findIndex(({ key }) => !done.has(key));
    items.forEach((item, i) => {
      const isDone = done.has(STEPS[i].key);
      item.classList.toggle('done', isDone);
      item.querySelector('.number').textContent = isDone ? '✓' : String(i + 1);
      if (i === current) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
    });
    byId('guide-done').hidden = current !== -1;
    byId('guide-done').textContent = current === -1 ? DONE : '';
  };
}

/** Returns the completed steps. Each one counts only after the one before it. */
function progress(lines) {
  const reached = [
    line => line.author === 'BOT',
    line => line.code === 'HANDOFF_REQUESTED',
    line => line.code === 'AGENT_JOINED' || line.author === 'AGENT',
    (line, sinceTaken) =>
      line.author === 'END_USER'
        ? sinceTaken.some(({ author }) => author === 'AGENT')
        : line.author === 'AGENT' && sinceTaken.some(({ author }) => author === 'END_USER'),
    line => line.code === 'OUTCOME' && line.outcome === 'ENDED',
    (line, sinceOutcome) => line.author === 'BOT' && sinceOutcome.some(({ author }) => author === 'END_USER'),
  ];
  const done = new Set();
  let step = 0,
    from = 0;
  lines.forEach((line, i) => {
    // A request for a person counts as a question to the bot.
    if (step === 0 && line.code === 'HANDOFF_REQUESTED') {
      done.add(STEPS[0].key);
      step = 1;
    }
    // A handoff may end before both sides have written.
    if (step === 3 && line.code === 'OUTCOME') {
      done.add(STEPS[3].key);
      step = 4;
    }
    if (step < STEPS.length && reached[step](line, lines.slice(from, i))) {
      done.add(STEPS[step].key);
      step += 1;
      from = step === 3 ? i : i + 1;
    }
  });
  return done;
}

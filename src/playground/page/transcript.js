import { clock, el } from './dom.js';

const NEAR_END_PX = 120;
const AUTHORS = { END_USER: 'user', BOT: 'bot', AGENT: 'agent', SYSTEM: 'system' };

/** Shows the conversation as the end-user sees it, with lines about events of the handoff. */
export function createTranscript({ list, scroller, empty, conversation, onTryAgain }) {
  const items = new Map();
  let last = null,
    isAtEnd = true;
  const toEnd = () => {
    if (isAtEnd) scroller.scrollTop = scroller.scrollHeight;
  };
  scroller.onscroll = () => {
    isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
  };
  // Images load late, and the window may change its size.
  const sizes = new ResizeObserver(toEnd);
  sizes.observe(list);
  sizes.observe(scroller);

  function append(line) {
    const follows =
      line.kind === 'message' && last?.kind === 'message' && last.author === line.author && last.name === line.name;
    const item = render(line, follows);
    items.set(line.id, item);
    list.append(item);
    last = line;
    empty.hidden = true;
    isAtEnd ||= line.author === 'END_USER';
    toEnd();
  }

  /** Updates a line in place, so that screen readers do not repeat it. */
  function update({ id, state, problem }) {
    const item = items.get(id);
    if (!item) return;
    item.dataset.state = state;
    item.classList.toggle('is-sending', state === 'sending' || state === 'waiting');
    item.querySelector('.problem')?.remove();
    const problemShown = problemLine(id, state, problem);
    if (problemShown !== null) item.querySelector('.said').append(problemShown);
  }

  function all() {
    list.replaceChildren();
    items.clear();
    last = null;
    empty.hidden = false;
    conversation.lines.forEach(append);
    isAtEnd = true;
    toEnd();
  }

  const render = (line, follows) => (line.kind === 'message' ? message(line, follows) : event(line));

  function message({ id, author, name, text, attachments, at, state, problem }, follows) {
    return el(
      'li',
      {
        class: `message by-${AUTHORS[author]}${follows ? ' follows' : ''}${state === 'sending' || state === 'waiting' ? ' is-sending' : ''}`,
        'data-testid': 'message',
        'data-author': author,
        'data-state': state ?? 'sent',
      },
      el('div', { class: 'face', 'aria-hidden': true }, initials(author, name)),
      el(
        'div',
        { class: 'said' },
        el(
          'p',
          { class: 'who' },
          el('span', { class: 'name' }, name),
          author === 'AGENT'
            ? el('span', { class: 'tag' }, 'person')
            : author === 'BOT'
              ? el('span', { class: 'tag' }, 'bot')
              : null,
          el('time', { datetime: at }, clock(at)),
        ),
        text === '' ? null : el('p', { class: 'bubble', 'data-testid': 'message-text' }, text),
        ...attachments.map(attachment),
        problemLine(id, state, problem),
      ),
    );
  }

  function problemLine(id, state, problem) {
    if (state === 'waiting')
      return el(
        'p',
        { class: 'problem', role: 'status', 'data-testid': 'sent-later' },
        `Not sent yet: ${problem} It will be sent automatically when that works again.`,
      );
    if (state !== 'unsent') return null;
    return el(
      'p',
      { class: 'problem', role: 'alert' },
      `Not sent: ${problem} `,
      el(
        'button',
        {
          type: 'button',
          class: 'link',
          'data-testid': 'try-again',
          onclick: () => onTryAgain(conversation.lines.find(line => line.id === id)),
        },
        'Try again',
      ),
    );
  }

  return { append, update, all, stop: () => sizes.disconnect() };
}

function event({ code, text, details, outcome }) {
  const pairs = details?.length
    ? el(
        'details',
        {},
        el('summary', {}, code === 'OUTCOME' ? 'What the bot gets' : 'What the agents get'),
        el('dl', {}, ...details.flatMap(([label, value]) => [el('dt', {}, label), el('dd', {}, value)])),
      )
    : null;
  return el(
    'li',
    {
      class: `event event-${code.toLowerCase().replaceAll('_', '-')}`,
      'data-testid': 'event',
      'data-code': code,
      'data-outcome': outcome,
    },
    el('p', {}, text),
    pairs,
  );
}

function attachment({ url, name, contentType }) {
  const address = safeUrl(url);
  if (address === null) return el('p', { class: 'attachment' }, name);
  const link = el('a', {
    class: 'attachment',
    href: address,
    target: '_blank',
    rel: 'noopener noreferrer',
    'data-testid': 'attachment',
  });
  if (contentType.startsWith('image/')) link.append(el('img', { src: address, alt: name, loading: 'lazy' }));
  link.append(el('span', {}, name));
  return link;
}

/** Returns a web URL, or null: an agent's file could have any scheme. */
function safeUrl(url) {
  try {
    const { protocol, href } = new URL(url, location.href);
    return protocol === 'http:' || protocol === 'https:' ? href : null;
  } catch {
    return null;
  }
}

const initials = (author, name) =>
  author === 'BOT'
    ? '◆'
    : author === 'SYSTEM'
      ? 'i'
      : name
          .split(/\s+/)
          .map(word => word[0])
          .slice(0, 2)
          .join('')
          .toUpperCase();

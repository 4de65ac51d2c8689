import { get, post } from './api.js';
import { PRIORITY_WORDS, STATUS_WORDS, byId, element, fileAddress, momentText, setText, timeElement } from './show.js';

const NEAR_THE_END = 80;

/** The right side: one conversation and the actions on it. */
export class Thread {
  /** `onChange()` is called after an action, so that the list is refreshed at once. */
  constructor(onChange) {
    this.onChange = onChange;
    this.id = null;
    this.turn = 0;
    this.shownTurn = 0;
    this.agentId = null;
    this.people = { agents: [], teams: [] };
    this.scroll = byId('scroll');
    byId('earlier').addEventListener('click', () => void this.showEarlier());
    byId('unseen-below').addEventListener('click', () => this.toEnd());
    this.scroll.addEventListener('scroll', () => {
      if (this.isAtEnd()) byId('unseen-below').hidden = true;
    });
    document.addEventListener('click', event => {
      for (const menu of document.querySelectorAll('details.menu[open]'))
        if (!menu.contains(event.target)) menu.open = false;
    });
    document.addEventListener('keydown', event => {
      const menu = event.key === 'Escape' && document.querySelector('details.menu[open]');
      if (menu) {
        menu.open = false;
        menu.querySelector('summary').focus();
      }
    });
  }

  async open(id) {
    Object.assign(this, { id, first: null, last: null, conversation: null, shownState: null });
    byId('messages').replaceChildren();
    byId('thread-empty').hidden = true;
    setText(byId('action-problem'), '');
    await this.refresh();
    if (this.id === id) this.toEnd();
  }

  /** Called when the conversation does not exist: it was deleted, or this tab remembers one of another database. */
  close(why) {
    this.id = null;
    byId('messages').replaceChildren();
    byId('actions').replaceChildren();
    byId('composer').hidden = true;
    setText(byId('thread-title'), 'No conversation chosen');
    setText(byId('thread-state'), why);
    byId('thread-empty').hidden = false;
  }

  /** Loads the messages after the last one shown. */
  async refresh() {
    const { id, last } = this;
    if (id === null) return;
    const turn = ++this.turn;
    const answer = await get(`conversations/${id}`, last === null ? {} : { after: last }).catch(problem => {
      if (problem.code === 'NOT_FOUND' && id === this.id) this.close(problem.message);
      throw problem;
    });
    // Discards the response if another conversation was chosen meanwhile or a later request responded first. The next
    // refresh loads it again.
    if (id !== this.id || last !== this.last || turn < this.shownTurn) return;
    this.shownTurn = turn;
    const wasAtEnd = this.isAtEnd();
    this.showState(answer.conversation);
    this.add(answer.messages);
    for (const deleted of answer.deletedIds) emptyElement(deleted);
    if (last === null) byId('earlier').hidden = !answer.hasEarlier;
    if (wasAtEnd) this.toEnd();
    else if (answer.messages.length > 0) byId('unseen-below').hidden = false;
  }

  add(messages) {
    if (messages.length === 0) return;
    byId('messages').append(...this.elements(messages));
    this.first ??= messages[0].id;
    this.last = messages.at(-1).id;
  }

  elements(messages) {
    const visitor = this.conversation.contact.name;
    return messages.map(message =>
      messageElement(message.author === 'END_USER' ? { ...message, authorName: visitor } : message),
    );
  }

  async showEarlier() {
    const { id, first } = this;
    const answer = await get(`conversations/${id}`, { before: first });
    if (id !== this.id || first !== this.first || answer.messages.length === 0) return;
    const heightBefore = this.scroll.scrollHeight;
    byId('messages').prepend(...this.elements(answer.messages));
    this.first = answer.messages[0].id;
    byId('earlier').hidden = !answer.hasEarlier;
    this.scroll.scrollTop += this.scroll.scrollHeight - heightBefore;
  }

  showState(conversation) {
    this.conversation = conversation;
    const content = JSON.stringify([conversation, this.agentId, this.people]);
    if (content === this.shownState) return;
    this.shownState = content;
    setText(byId('thread-title'), conversation.contact.name);
    const { status, agent, team, priority, snoozedUntil, inbox } = conversation;
    byId('thread-state').dataset.status = status;
    setText(
      byId('thread-state'),
      [
        STATUS_WORDS[status] + (snoozedUntil ? ` until ${momentText(snoozedUntil)}` : ''),
        agent ? (agent.id === this.agentId ? 'yours' : agent.name) : status === 'OPEN' ? 'unassigned' : null,
        team && `team ${team.name}`,
        PRIORITY_WORDS[priority],
        inbox.name,
      ]
        .filter(Boolean)
        .join(' · '),
    );
    this.showContact(conversation.contact);
    this.showActions(conversation);
  }

  showContact({ email, phone, locale, attributes }) {
    const facts = Object.entries({ 'E-mail': email, Phone: phone, Language: locale, ...attributes }).filter(
      ([, value]) => value,
    );
    byId('contact').hidden = facts.length === 0;
    byId('contact')
      .querySelector('dl')
      .replaceChildren(...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
  }

  showActions({ status, agent }) {
    const isWithPeople = status === 'OPEN' || status === 'ON_HOLD';
    const button = (title, testId, verb, body, isPrimary) =>
      element(
        'button',
        {
          type: 'button',
          'data-testid': testId,
          class: isPrimary ? 'primary' : null,
          onclick: () => void this.act(verb, body),
        },
        title,
      );
    const box = byId('actions');
    const focused = box.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
    box.replaceChildren(
      ...(this.agentId === null
        ? []
        : [
            status !== 'RESOLVED' &&
              agent?.id !== this.agentId &&
              button(status === 'BOT_HELD' ? 'Take over' : 'Take', 'take', 'assign', { agentId: this.agentId }, true),
            status === 'RESOLVED' && button('Reopen', 'reopen', 'reopen', {}, true),
            isWithPeople && button('Resolve', 'resolve', 'resolve', {}, agent?.id === this.agentId),
            isWithPeople && button('Return to the bot', 'return', 'return', {}),
            status === 'ON_HOLD' && button('Take off hold', 'wake', 'wake', {}),
            status === 'OPEN' && this.snoozeMenu(button),
            status !== 'RESOLVED' && this.assignMenu(button, isWithPeople),
          ].filter(Boolean)),
    );
    if (focused !== null) this.focusAction(focused);
  }

  /** Keeps the keyboard focus after a redraw: at the same button, else at the first one left. */
  focusAction(testId) {
    const again =
      byId('actions').querySelector(`[data-testid="${testId}"]`) ??
      byId('actions').querySelector('button, summary') ??
      byId('thread-title');
    again.focus();
  }

  snoozeMenu(button) {
    const inAnHour = new Date(Date.now() + 3_600_000);
    const tomorrow = new Date();
    tomorrow.setDate(tomorrow.getDate() + 1);
    tomorrow.setHours(9, 0, 0, 0);
    return menu(
      'Put on hold',
      'snooze',
      button('Until the visitor writes', 'snooze-until-written', 'snooze', { until: null }),
      button('For an hour', 'snooze-hour', 'snooze', { until: inAnHour.toISOString() }),
      button(`Until ${momentText(tomorrow)}`, 'snooze-tomorrow', 'snooze', { until: tomorrow.toISOString() }),
    );
  }

  assignMenu(button, isWithPeople) {
    const { agents, teams } = this.people;
    return menu(
      'Assign',
      'assign',
      element('h3', {}, 'To a team'),
      ...teams.map(team => button(team.name, `assign-team-${team.id}`, 'assign', { teamId: team.id, agentId: null })),
      element('h3', {}, 'To an agent'),
      ...agents.map(agent => button(agent.name, `assign-agent-${agent.id}`, 'assign', { agentId: agent.id })),
      isWithPeople ? button('Back to the queue', 'unassign', 'assign', { agentId: null }) : null,
    );
  }

  /** Runs an action on this conversation. Shows an error beside the buttons. */
  async act(verb, body) {
    if (this.isActing) return;
    const { id } = this;
    this.isActing = true;
    this.leaveMenus();
    // Not `disabled`: a disabled button loses the focus, and a keyboard user their place.
    byId('actions').setAttribute('aria-busy', 'true');
    setText(byId('action-problem'), '');
    try {
      await post(`conversations/${id}/${verb}`, body);
    } catch (problem) {
      if (id === this.id) setText(byId('action-problem'), problem.message);
    }
    this.isActing = false;
    byId('actions').setAttribute('aria-busy', 'false');
    this.shownState = null;
    await this.onChange();
  }

  /** Closes open menus. Moves the focus to the menu's summary, because an element in a closed menu cannot have it. */
  leaveMenus() {
    for (const open of document.querySelectorAll('details.menu[open]')) {
      if (open.contains(document.activeElement)) open.querySelector('summary').focus();
      open.open = false;
    }
  }

  isAtEnd() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < NEAR_THE_END;
  }
  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    byId('unseen-below').hidden = true;
  }
}

const menu = (title, testId, ...items) =>
  element(
    'details',
    { class: 'menu' },
    element('summary', { 'data-testid': testId }, `${title} ▾`),
    element('div', {}, ...items),
  );

const AUTHOR_WORDS = { END_USER: 'Visitor', BOT: 'Bot', AGENT: 'Agent', SYSTEM: 'Automatic' };

const TAKEN_BACK = 'This message was deleted.';

/** Empties a deleted message. Its element stays, so that agents see that there was a message. */
function emptyElement(id) {
  const shown = document.querySelector(`.message[data-message-id="${CSS.escape(id)}"]:not([data-deleted])`);
  if (shown === null) return;
  shown.dataset.deleted = 'true';
  shown.replaceChildren(shown.querySelector('header'), element('div', { class: 'text' }, TAKEN_BACK));
}

function messageElement({ id, kind, author, authorName, visibility, text, at, isDeleted, attachments }) {
  if (kind === 'ACTIVITY')
    return element(
      'li',
      { class: 'activity', 'data-testid': 'activity', 'data-message-id': id },
      `${text} `,
      timeElement(at),
    );
  const who = authorName ?? AUTHOR_WORDS[author];
  const title =
    visibility === 'PUBLIC'
      ? who
      : author === 'AGENT'
        ? `Note by ${who}, for colleagues only`
        : `For colleagues only, from the ${AUTHOR_WORDS[author].toLowerCase()}`;
  return element(
    'li',
    {
      class: 'message',
      'data-testid': 'message',
      'data-message-id': id,
      'data-author': author,
      'data-visibility': visibility,
      'data-deleted': isDeleted ? 'true' : null,
    },
    element('header', {}, `${title} · `, timeElement(at)),
    isDeleted
      ? element('div', { class: 'text' }, TAKEN_BACK)
      : text === ''
        ? null
        : element('div', { class: 'text' }, text),
    ...attachments.map(attachmentElement),
  );
}

const INLINE = /^image\/(png|jpeg|gif|webp)$/;

/**
 * Shows only this service's images inline. Loading an image from elsewhere would reveal the agent's visit to its
 * server.
 */
function attachmentElement({ name, contentType, url }) {
  const address = fileAddress(url);
  if (address === null) return element('p', {}, name);
  const isOwn = !address.includes('://');
  return element(
    'a',
    { href: address, target: '_blank', rel: 'noopener noreferrer', 'data-testid': 'file' },
    isOwn && INLINE.test(contentType) ? element('img', { src: address, alt: name, loading: 'lazy' }) : `📎 ${name}`,
  );
}

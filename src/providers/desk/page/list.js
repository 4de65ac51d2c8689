import { get } from './api.js';
import { PRIORITY_WORDS, STATUS_WORDS, byId, element, setText, timeElement, waitedText } from './show.js';

const TABS = [
  {
    key: 'open',
    title: 'Open',
    count: 'open',
    query: { status: 'OPEN,ON_HOLD' },
    empty: 'No conversation needs an agent right now.',
  },
  {
    key: 'mine',
    title: 'Mine',
    count: 'mine',
    query: { status: 'OPEN,ON_HOLD', agent: 'me' },
    empty: 'You have no conversation. Take one that is open.',
  },
  { key: 'bot', title: 'With the bot', query: { status: 'BOT_HELD' }, empty: 'The bot has no conversation right now.' },
  { key: 'resolved', title: 'Resolved', query: { status: 'RESOLVED' }, empty: 'No conversation is resolved yet.' },
];
const FEW = 50;
const MANY = 200;

/** The left side: the list of conversations. Calls `onChoose(id)` when an agent picks one. */
export class List {
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.tab = TABS[0];
    this.limit = FEW;
    this.chosen = null;
    this.agentId = null;
    this.rows = new Map();
    this.turn = 0;
    this.shownTurn = 0;
    this.buttons = new Map(
      TABS.map(tab => [
        tab.key,
        element('button', { type: 'button', 'data-testid': `tab-${tab.key}`, onclick: () => this.show(tab) }),
      ]),
    );
    byId('tabs').append(...this.buttons.values());
    byId('list-more').addEventListener('click', () => {
      this.limit = MANY;
      void this.refresh();
    });
    this.showTabs({ open: 0, mine: 0, unassigned: 0 });
  }

  async show(tab) {
    this.tab = tab;
    this.limit = FEW;
    this.showTabs(this.counts);
    await this.refresh();
  }

  choose(id) {
    this.chosen = id;
    for (const [key, row] of this.rows) row.setAttribute('aria-current', String(key === id));
  }

  async refresh() {
    const asked = this.tab;
    if (asked.query.agent === 'me' && !this.agentId) return this.fill([], false, 'Choose who you are first.');
    const turn = ++this.turn;
    const answer = await get('conversations', { ...asked.query, limit: this.limit });
    // Discards the response if another tab was chosen meanwhile or a later request responded first.
    if (asked !== this.tab || turn < this.shownTurn) return;
    this.shownTurn = turn;
    this.showTabs(answer.counts);
    this.fill(answer.conversations, answer.hasMore && this.limit < MANY, asked.empty);
  }

  showTabs(counts) {
    this.counts = counts;
    for (const tab of TABS) {
      const button = this.buttons.get(tab.key);
      button.setAttribute('aria-pressed', String(tab === this.tab));
      const count = counts[tab.count];
      const isWaiting = tab.key === 'open' && counts.unassigned > 0;
      const content = `${tab.title}/${count}/${isWaiting}/${counts.unassigned}`;
      if (button.dataset.content === content) continue;
      button.dataset.content = content;
      button.replaceChildren(
        ...[
          tab.title,
          count ? ' ' : null,
          count
            ? element(
                'span',
                {
                  class: isWaiting ? 'badge waiting' : 'badge',
                  'data-testid': `count-${tab.key}`,
                  title: isWaiting ? `${counts.unassigned} unassigned` : null,
                },
                String(count),
              )
            : null,
        ].filter(part => part !== null),
      );
    }
    document.title = counts.unassigned > 0 ? `(${counts.unassigned}) Desk` : 'Desk';
  }

  /** Reuses and moves the existing rows, so that the focus stays where it is. */
  fill(conversations, hasMore, emptyText) {
    const focused = document.activeElement;
    const rows = new Map(conversations.map(one => [one.id, this.row(one, this.rows.get(one.id))]));
    this.rows = rows;
    const items = [...rows.values()].map(row => row.parentElement);
    const list = byId('conversations');
    if (items.length !== list.children.length || items.some((item, index) => list.children[index] !== item)) {
      list.replaceChildren(...items);
      if (list.contains(focused)) focused.focus();
    }
    byId('list-more').hidden = !hasMore;
    byId('list-empty').hidden = conversations.length > 0;
    setText(byId('list-empty'), emptyText);
    this.choose(this.chosen);
  }

  row(one, known) {
    const row =
      known ??
      element('button', {
        type: 'button',
        'data-testid': 'conversation',
        'data-conversation-id': one.id,
        onclick: () => this.onChoose(one.id),
      });
    if (!known) element('li', {}, row);
    const waited = one.isWaiting ? waitedText(one.waitingSince) : '';
    const content = JSON.stringify([one, waited]);
    if (row.dataset.content === content) return row;
    row.dataset.content = content;
    row.dataset.status = one.status;
    const isUnassigned = one.status === 'OPEN' && !one.agent;
    const state = [
      one.status === 'OPEN' ? null : STATUS_WORDS[one.status],
      one.agent?.name,
      one.team?.name,
      PRIORITY_WORDS[one.priority],
    ]
      .filter(Boolean)
      .join(' · ');
    row.replaceChildren(
      element(
        'span',
        { class: 'row' },
        element('span', {}, one.contact.name),
        isUnassigned
          ? element('span', { class: 'badge waiting', 'data-testid': 'waiting' }, `waiting ${waited}`.trim())
          : one.isWaiting
            ? element('span', { class: 'badge waiting', 'data-testid': 'unanswered' }, `unanswered ${waited}`)
            : '',
        timeElement(one.lastActivityAt),
      ),
      element(
        'span',
        { class: 'said' },
        one.lastMessage ? `${one.lastMessage.author === 'END_USER' ? '' : '↩ '}${one.lastMessage.text}` : '…',
      ),
      element('span', { class: 'who' }, [one.inbox.name, state].filter(Boolean).join(' · ')),
    );
    return row;
  }
}

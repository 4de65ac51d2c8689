import { byId, el } from './dom.js';

const MOST_ENTRIES = 150;

/** Lists the GraphQL operations of this page with their variables and results, for authors of runtimes. */
export function createWireLog(list) {
  let count = 0;

  function entry(kind, name, parts) {
    const codes = el('span', { class: 'codes' });
    const time = el('span', { class: 'took' });
    const body = el('div', { class: 'wire-body' }, ...parts.map(([title, text]) => block(title, text)));
    list.prepend(
      el(
        'li',
        { 'data-testid': 'wire-entry', 'data-operation': name },
        el(
          'details',
          {},
          el('summary', {}, el('span', { class: `kind kind-${kind}` }, kind), el('code', {}, name), codes, time),
          body,
        ),
      ),
    );
    while (list.children.length > MOST_ENTRIES) list.lastChild.remove();
    byId('wire-count').textContent = String(++count);
    return {
      add: (title, value) => body.append(block(title, json(value))),
      mark(text, isGood) {
        codes.replaceChildren(el('span', { class: isGood ? 'good' : 'bad' }, text));
      },
      took(ms) {
        time.textContent = `${Math.round(ms)} ms`;
      },
    };
  }

  return {
    started({ name, document, variables }) {
      const kind = document.startsWith('query') ? 'query' : 'mutation';
      const startedAt = performance.now();
      const shown = entry(kind, name, [
        ['Document', document],
        ['Variables', json(variables)],
      ]);
      return {
        answered(answer, codes) {
          shown.took(performance.now() - startedAt);
          shown.add('Result', answer);
          shown.mark(codes.length > 0 ? codes.join(', ') : 'ok', codes.length === 0);
        },
        failed(code) {
          shown.took(performance.now() - startedAt);
          shown.mark(code, false);
        },
      };
    },
    subscribed({ name, document }) {
      return {
        asked(variables) {
          entry('subscription', name, [
            ['Document', document],
            ['Variables', json(variables)],
          ]).mark('started', true);
        },
        pushed(payload) {
          entry('next', name, [['Event', json(payload)]]).mark(
            payload.errors?.[0]?.extensions?.code ?? 'pushed',
            !payload.errors,
          );
        },
        ended(errors) {
          entry('next', name, [['Closed', json(errors)]]).mark(
            errors?.[0]?.extensions?.code ?? 'complete',
            errors === null,
          );
        },
      };
    },
  };
}

const json = value => JSON.stringify(value, null, 2);
const block = (title, text) => el('section', {}, el('h4', {}, title), el('pre', { tabindex: '0' }, text));

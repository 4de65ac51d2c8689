import { byId, el } from './dom.js';
import { suggestions } from './bot.js';

/** Where the end-user writes. Enter sends, Shift+Enter starts a new line. */
export function createComposer({ onSay }) {
  const form = byId('composer'), field = byId('text'), chips = byId('suggestions');
  let shownFor = null;

  const grow = () => { field.style.height = ''; field.style.height = `${Math.min(field.scrollHeight, 140)}px`; };

  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    const text = field.value.trim();
    if (text === '') return;
    field.value = '';
    grow();
    onSay(text);
  });
  field.addEventListener('input', grow);
  field.addEventListener('keydown', (pressed) => {
    if (pressed.key !== 'Enter' || pressed.shiftKey || pressed.isComposing) return;
    pressed.preventDefault();
    form.requestSubmit();
  });
  byId('attach').addEventListener('click', () => {
    onSay(field.value.trim(), [{ url: new URL('/try/receipt.svg', location.href).href, name: 'receipt.svg', contentType: 'image/svg+xml', sizeBytes: null }]);
    field.value = '';
    grow();
  });

  return {
    suggestFor(chatbotName, control) {
      if (`${chatbotName}/${control}` === shownFor) return;
      shownFor = `${chatbotName}/${control}`;
      chips.replaceChildren(...suggestions(chatbotName, control).map((text) => el('button', { type: 'button', 'data-testid': 'suggestion', onclick: () => { onSay(text); field.focus(); } }, text)));
    },
    focus: () => field.focus(),
  };
}

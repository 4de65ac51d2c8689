import { byId, el } from './dom.js';
import { suggestions } from './bot.js';

/** Creates the end-user's input field. Enter sends, Shift+Enter starts a new line. */
export function createComposer({ onSay }) {
  const form = byId('composer'),
    field = byId('text'),
    chips = byId('suggestions');
  let shownFor = null;

  const grow = () => {
    field.style.height = '';
    field.style.height = `${Math.min(field.scrollHeight, 140)}px`;
  };

  form.addEventListener('submit', submitted => {
    submitted.preventDefault();
    const text = field.value.trim();
    if (text === '') return;
    field.value = '';
    grow();
    onSay(text);
  });
  field.addEventListener('input', grow);
  field.addEventListener('keydown', pressed => {
    if (pressed.key !== 'Enter' || pressed.shiftKey || pressed.isComposing) return;
    pressed.preventDefault();
    form.requestSubmit();
  });
  const chooser = byId('file'),
    problem = byId('file-problem');
  byId('attach').addEventListener('click', () => chooser.click());
  chooser.addEventListener('change', async () => {
    const [file] = chooser.files;
    chooser.value = '';
    if (!file) return;
    problem.textContent = '';
    try {
      const attachment = await upload(file);
      onSay(field.value.trim(), [attachment]);
      field.value = '';
      grow();
    } catch (error) {
      problem.textContent = `${file.name} was not sent: ${error.message} Your text is still here. Choose the file again.`;
    }
    field.focus();
  });

  return {
    suggestFor(chatbotName, control) {
      if (`${chatbotName}/${control}` === shownFor) return;
      shownFor = `${chatbotName}/${control}`;
      chips.replaceChildren(
        ...suggestions(chatbotName, control).map(text =>
          el(
            'button',
            {
              type: 'button',
              'data-testid': 'suggestion',
              onclick: () => {
                onSay(text);
                field.focus();
              },
            },
            text,
          ),
        ),
      );
    },
    focus: () => field.focus(),
  };
}

/** Uploads the file to a place from which the service can fetch it, like the storage of a real channel. */
async function upload(file) {
  const contentType = /^[\w.+-]+\/[\w.+-]+$/.test(file.type) ? file.type : 'application/octet-stream';
  let response;
  try {
    response = await fetch(`/playground/files?${new URLSearchParams({ name: file.name })}`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'x-file-type': contentType },
      body: file,
    });
  } catch {
    throw new Error('the service cannot be reached.');
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok || !answer)
    throw new Error(answer?.error?.message ?? `the service responded with status ${response.status}.`);
  return { url: new URL(answer.path, location.href).href, name: file.name, contentType, sizeBytes: answer.sizeBytes };
}

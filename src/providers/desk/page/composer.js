import { post } from './api.js';
import { byId, element, setText } from './show.js';

const LARGEST_TOGETHER = 5 * 1024 * 1024;
const MOST_FILES = 10;

/** The form in which an agent writes. Unsent drafts are kept per conversation. */
export class Composer {
  constructor(onSent) {
    this.onSent = onSent;
    this.id = null;
    this.drafts = new Map();
    this.form = byId('composer');
    this.text = byId('text');
    this.form.addEventListener('submit', event => {
      event.preventDefault();
      void this.send();
    });
    this.form.addEventListener('change', () => this.showMode());
    this.text.addEventListener('keydown', event => {
      // While an input method composes, Enter chooses a word.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.send();
    });
    byId('file').addEventListener('change', () => {
      this.attach([...byId('file').files]);
      byId('file').value = '';
    });
  }

  open(id) {
    if (this.id !== null) this.drafts.set(this.id, this.draft());
    this.id = id;
    this.restore(this.drafts.get(id) ?? { text: '', mode: 'PUBLIC', files: [] });
    setText(byId('send-problem'), '');
  }

  draft() {
    return { text: this.text.value, mode: this.mode, files: this.files };
  }

  restore({ text, mode, files }) {
    this.text.value = text;
    this.form.querySelector(`[name=mode][value=${mode}]`).checked = true;
    this.files = files;
    this.showFiles();
    this.showMode();
  }

  get mode() {
    return this.form.querySelector('[name=mode]:checked').value;
  }

  showMode() {
    this.form.dataset.mode = this.mode;
    const isNote = this.mode === 'INTERNAL';
    setText(byId('text-label'), isNote ? 'Note for colleagues' : 'Reply to the visitor');
    this.text.placeholder = isNote ? 'Only colleagues read this' : 'The visitor reads this';
    setText(byId('send'), isNote ? 'Add note' : 'Send');
  }

  attach(files) {
    const wanted = [...this.files, ...files];
    const problem =
      wanted.length > MOST_FILES
        ? `A message can have at most ${MOST_FILES} files; send the others with another message.`
        : wanted.reduce((sum, file) => sum + file.size, 0) > LARGEST_TOGETHER
          ? 'The files are too large: a message can have 5 MB of files. Send them in several messages.'
          : '';
    setText(byId('send-problem'), problem);
    if (problem === '') this.files = wanted;
    this.showFiles();
  }

  showFiles() {
    byId('files').replaceChildren(
      ...this.files.map(file =>
        element(
          'li',
          {},
          file.name,
          element(
            'button',
            {
              type: 'button',
              'aria-label': `Remove ${file.name}`,
              onclick: () => {
                this.files = this.files.filter(one => one !== file);
                this.showFiles();
                this.text.focus();
              },
            },
            '×',
          ),
        ),
      ),
    );
  }

  async send() {
    const { id, mode: visibility, files } = this;
    const text = this.text.value;
    if (this.isSending || id === null || (text.trim() === '' && files.length === 0)) return;
    this.isSending = true;
    // Not `disabled`: the button would lose the focus.
    byId('send').setAttribute('aria-disabled', 'true');
    setText(byId('send-problem'), '');
    try {
      const attachments = await Promise.all(
        files.map(async file => ({
          name: file.name,
          contentType: file.type || 'application/octet-stream',
          content: await base64Of(file),
        })),
      );
      await post(`conversations/${id}/messages`, { text, visibility, attachments });
      this.forget(id, { text, files });
    } catch (problem) {
      if (id === this.id) setText(byId('send-problem'), problem.message);
    }
    this.isSending = false;
    byId('send').setAttribute('aria-disabled', 'false');
    if (document.activeElement === byId('send')) this.text.focus();
    await this.onSent();
  }

  /** Removes a sent draft. Text typed and files added since then stay. */
  forget(id, sent) {
    if (id !== this.id) {
      this.drafts.delete(id);
      return;
    }
    if (this.text.value === sent.text) this.text.value = '';
    if (this.files === sent.files) this.files = [];
    this.showFiles();
  }
}

const base64Of = file =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
    reader.onerror = () => reject(new Error(`${file.name} cannot be read; choose the file again.`));
    reader.readAsDataURL(file);
  });

import { createComposer } from './composer.js';
import { createConversation } from './conversation.js';
import { createAgentsFrame } from './agents-frame.js';
import { byId, el } from './dom.js';
import { createGraphql, newKey } from './graphql.js';
import { createGuide } from './guide.js';
import { createLive } from './live.js';
import { createRuntime } from './runtime.js';
import { createStateBar } from './state-bar.js';
import { createTranscript } from './transcript.js';
import { createWireLog } from './wire-log.js';

const CHATBOT_KEY = 'try:chatbot';

const log = createWireLog(byId('wire-entries'));
const stateBar = createStateBar();
const showGuide = createGuide(byId('steps'));
const call = createGraphql({ url: '/graphql', log });
let current = null;
const subscribe = createLive({
  url: new URL('/graphql', location.href.replace(/^http/, 'ws')).href,
  log,
  onState(state) {
    stateBar.connection(state);
    if (state === 'open') current?.runtime.reachable();
  },
});

/** Connects one chatbot's conversation with the parts that show it. */
function play(chatbot, teams, composer) {
  const conversation = createConversation(chatbot.id, newKey);
  const runtime = createRuntime({ call, subscribe, conversation, chatbot, teams });
  const transcript = createTranscript({
    list: byId('lines'),
    scroller: byId('transcript'),
    empty: byId('empty'),
    conversation,
    onTryAgain: line => {
      void runtime.tryAgain(line);
      composer.focus();
    },
  });
  const showStatus = () => {
    stateBar.show(conversation.status);
    composer.suggestFor(chatbot.name, conversation.status.control);
  };

  const stopListening = conversation.listen(({ type, line }) => {
    if (type === 'line') transcript.append(line);
    else if (type === 'changed') transcript.update(line);
    else if (type === 'restart') transcript.all();
    if (type === 'status' || type === 'restart') showStatus();
    showGuide(conversation.lines);
  });
  for (const element of document.querySelectorAll('[data-chatbot-name]')) element.textContent = chatbot.name;
  transcript.all();
  showStatus();
  showGuide(conversation.lines);
  void runtime.start();
  return {
    runtime,
    stop() {
      stopListening();
      transcript.stop();
      runtime.stop();
    },
  };
}

function start({ chatbots, agentPages, teams }) {
  createAgentsFrame(agentPages);
  if (chatbots.length === 0) {
    byId('no-chatbot').hidden = false;
    byId('end-user').hidden = true;
    return;
  }

  const composer = createComposer({ onSay: (text, attachments) => current.runtime.say(text, attachments) });
  const chatbotChoice = byId('chatbot'),
    teamChoice = byId('team');
  chatbotChoice.replaceChildren(...chatbots.map(({ id, name }) => el('option', { value: id }, name)));
  teamChoice.append(...teams.map(({ id, name }) => el('option', { value: id }, name)));

  function choose(id) {
    const chatbot = chatbots.find(one => one.id === id) ?? chatbots[0];
    chatbotChoice.value = chatbot.id;
    sessionStorage.setItem(CHATBOT_KEY, chatbot.id);
    current?.stop();
    current = play(chatbot, teams, composer);
    current.runtime.chooseTeam(teamChoice.value);
  }

  chatbotChoice.addEventListener('change', () => choose(chatbotChoice.value));
  teamChoice.addEventListener('change', () => current.runtime.chooseTeam(teamChoice.value));
  byId('new-conversation').addEventListener('click', () => {
    void current.runtime.restart();
    composer.focus();
  });
  // A click hides both buttons, so the focus moves to the composer.
  byId('ask-person').addEventListener('click', () => {
    void current.runtime.askForPerson();
    composer.focus();
  });
  byId('cancel').addEventListener('click', () => {
    void current.runtime.cancel();
    composer.focus();
  });
  byId('interrupt').addEventListener('click', () => void current.runtime.interrupt('REJECT'));
  byId('suggest').addEventListener('click', () => void current.runtime.interrupt('SUGGEST'));
  choose(sessionStorage.getItem(CHATBOT_KEY));
  composer.focus();
}

const wire = byId('wire');
wire.addEventListener('toggle', () => wire.open && wire.scrollIntoView({ block: 'end' }));
const more = byId('more');
addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') more.open = false;
});
addEventListener('click', ({ target }) => {
  if (!more.contains(target)) more.open = false;
});

try {
  const response = await fetch('/playground.json', { headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`/playground.json responded with status ${response.status}`);
  start(await response.json());
} catch (error) {
  console.error(error);
  byId('failed').hidden = false;
}

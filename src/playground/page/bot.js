import { STUCK, tradeOf } from './bot-scripts.js';

// The example bot. It answers three topics and can request a person. It is independent of GraphQL and the page:
// `answer` takes text and memory, and returns text, memory and perhaps a request for a person.

const PERSON =
  /\b(human|person|people|agent|someone|somebody|colleague|representative|operator|advisor|mensch(en)?|mitarbeiter(in)?|jemand(en|em)?)\b/i;
const WISH =
  /\b(talk|speak|chat|connect|get|want|need|call|fetch|ask|transfer|reach|give|can|may|could|please|real|with|sprechen|reden|bitte|möchte|will)\b/i;
const REFUND = /\b(refund|return|money back|send (it )?back|cancel|rückgabe|umtausch|storn\w+)\b/i;
const HOURS = /\b(open|opened|opening|close|closed|closing|hours|öffnungszeiten|geöffnet)\b/i;
const NUMBER = /\b(\d{4})\b/;
const YES = /^\s*(yes|yeah|yep|ok|okay|sure|please|do|ja|gern)\b/i;
const NO = /^\s*(no|nope|not now|later|nein)\b/i;

/** Patterns of team names for each topic. */
const TEAMS = {
  REFUND: /return|refund|billing|complaint|sales/i,
  ITEM: /order|booking|deliver|shipping|travel|sales|service|support/i,
  HOURS: /service|support|front/i,
};
const START = { topic: null, number: null, expects: null, misses: 0, saidByUser: [] };

/** @returns {{ text: string, memory: object, person?: { reason: string } }} */
export function answer(text, chatbotName, earlier) {
  const trade = tradeOf(chatbotName);
  const memory = { ...START, ...earlier };
  const found = text.match(NUMBER)?.[1] ?? null;
  const topic = REFUND.test(text)
    ? 'REFUND'
    : trade.is.test(text) || found
      ? 'ITEM'
      : HOURS.test(text)
        ? 'HOURS'
        : null;
  const next = {
    ...memory,
    topic: topic ?? memory.topic,
    number: found ?? memory.number,
    expects: null,
    misses: 0,
    saidByUser: [...memory.saidByUser, text].slice(-6),
  };
  const turn = (said, change = {}) => ({ text: said, memory: { ...next, ...change } });
  const fetchPerson = reason => ({
    ...turn('Of course. I am asking a colleague and passing on what we have talked about.'),
    person: { reason },
  });

  if (PERSON.test(text) && (WISH.test(text) || text.trim().split(/\s+/).length <= 2))
    return fetchPerson('The end-user asked for a person');
  if (memory.expects === 'PERSON' && YES.test(text))
    return fetchPerson(
      next.topic === null
        ? 'The bot did not understand'
        : `The bot could not help with ${topicName(next.topic, trade)}`,
    );
  if (memory.expects === 'PERSON' && NO.test(text))
    return turn(`All right. Then I am here for opening hours and ${trade.thing}s.`);
  if (topic === 'REFUND') return turn(trade.refund, { expects: 'PERSON' });
  if (topic === 'ITEM') return aboutItem(next.number, trade, turn);
  if (topic === 'HOURS') return turn(trade.hours);
  if (/^\s*(hi|hello|hey|good (morning|afternoon|evening)|hallo|servus|moin|grüß)/i.test(text))
    return turn(
      `Hello, this is the ${chatbotName}. I know our opening hours and your ${trade.thing}, and I can fetch a person.`,
    );
  if (/\b(thanks|thank you|thx|danke)\b/i.test(text)) return turn('You are welcome. Anything else?');
  if (/\b(bye|goodbye|see you|tschüss)\b/i.test(text)) return turn('Goodbye, and have a good day.');
  if (memory.misses > 0) return turn('That is beyond me. Shall I fetch a person?', { expects: 'PERSON' });
  return turn(
    `I am a small bot: ask me for our opening hours or about ${trade.thing} 1001, 1002 or 1003. Or ask for a person.`,
    { misses: 1 },
  );
}

function aboutItem(number, trade, turn) {
  if (number === null) return turn(`Which ${trade.thing}? It has four digits: try 1001, 1002 or 1003.`);
  if (!(number in trade.known))
    return turn(`I find no ${trade.thing} ${number}. Shall I fetch a person?`, { expects: 'PERSON' });
  const known = `Your ${trade.thing} ${number} ${trade.known[number]}`;
  return number === STUCK ? turn(`${known} Shall I fetch one?`, { expects: 'PERSON' }) : turn(known);
}

/** Returns the bot's text when it has control again; null if another message has said it. */
export function resume(outcome, chatbotName, memory) {
  if (outcome.state !== 'ENDED') return null;
  const who = outcome.agent?.name ?? 'my colleague';
  const matter = memory?.number ? ` ${tradeOf(chatbotName).thing} ${memory.number}` : ' that';
  if (outcome.reason === 'AGENT_RESOLVED')
    return `I am back: ${who} has settled${matter} with you. What else can I do?`;
  if (outcome.reason === 'AGENT_RETURNED') return `I am back: ${who} has handed you to me again. How can I go on?`;
  return 'I am here again. What can I do for you?';
}

/** Returns the context of a handoff for the agents. */
export function briefing(chatbotName, memory) {
  const { topic, number, saidByUser } = { ...START, ...memory };
  const trade = tradeOf(chatbotName);
  const said = saidByUser.map(text => `“${text.length > 80 ? `${text.slice(0, 79)}…` : text}”`).slice(-3);
  return {
    intent: `support.${(topic === 'ITEM' ? trade.thing : (topic ?? 'person')).toLowerCase()}`,
    summary: said.length === 0 ? 'Nothing was said yet.' : `The end-user said ${said.join(', then ')}.`,
    fields: {
      Topic: topic === null ? 'not known' : topicName(topic, trade),
      ...(number && { [`${trade.thing[0].toUpperCase()}${trade.thing.slice(1)}`]: number }),
      Language: navigator.language,
    },
    resumeTarget: (topic === 'ITEM' ? trade.thing : (topic ?? 'start')).toUpperCase(),
  };
}

/** Returns the team whose name matches the topic; null: any team. */
export const teamFor = (memory, teams) => teams.find(({ name }) => TEAMS[memory?.topic]?.test(name))?.id ?? null;

export function suggestions(chatbotName, control) {
  const { ask } = tradeOf(chatbotName);
  return {
    BOT: [ask.where, 'I want to talk to a person', 'When are you open?', ask.refund],
    NONE: ['Are you still there?', ask.detail],
    HUMAN: ['Thank you for taking over!', ask.detail, 'I think I paid twice'],
  }[control];
}

const topicName = (topic, trade) =>
  ({ REFUND: 'a return or refund', ITEM: trade.thing === 'order' ? 'an order' : 'a booking', HOURS: 'opening hours' })[
    topic
  ];

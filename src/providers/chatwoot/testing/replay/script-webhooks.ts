import { prepare, type Step } from './script';
import { visitor } from './script-rest';
import type { Replay } from './replay';

const A = '/api/v1/accounts/1';
const waitUntilIdle = prepare(theatre => theatre.double.whenIdle());

const incoming = (theatre: Replay, id: number, content: string) =>
  theatre.call('BOT', 'POST', `${A}/conversations/${id}/messages`, { content, message_type: 'incoming' });

const changeInbox = (body: Record<string, unknown>) =>
  prepare(theatre => theatre.call('ADMIN', 'PATCH', `${A}/inboxes/1`, body));

/** Alice replies in one conversation while the inbox's webhook is of the named kind. */
const replyWhile = (what: string) =>
  prepare(async theatre => {
    await theatre.double
      .agent(4, { accountId: 1, conversationId: theatre.remembered['watched'] })
      .reply(`reply while ${what}`);
    await theatre.double.whenIdle();
  });

const setWebhook = (url: (theatre: Replay) => string) =>
  prepare(theatre => theatre.call('ADMIN', 'PATCH', `${A}/inboxes/1`, { channel: { webhook_url: url(theatre) } }));

const visitorWrites = (identifier: string) =>
  prepare(async theatre => {
    const { conversation } = await visitor(theatre, 1, { name: 'W', identifier });
    await theatre.double.whenIdle();
    await incoming(theatre, conversation.id, 'anybody there?');
    await theatre.double.whenIdle();
  });

/** Causes the recorded webhooks that no REST recording causes. */
export const webhookScript: Step[] = [
  prepare(async theatre => {
    const { conversation } = await visitor(theatre, 1, { name: 'Returner', identifier: 'b-tllzqh' });
    const alice = theatre.double.agent(4, { accountId: 1, conversationId: conversation.id });
    await alice.assignSelf();
    await alice.reply('bye');
    await alice.resolve();
    await theatre.double.whenIdle();
    await incoming(theatre, conversation.id, 'I am back');
  }),
  waitUntilIdle,
  prepare(async theatre => {
    theatre.remembered['watched'] = (await visitor(theatre, 1, { name: 'W', identifier: 'w-n4gn6u' })).conversation.id;
  }),
  waitUntilIdle,
  prepare(theatre => {
    theatre.receiver.respond = (webhook, response) => {
      response.statusCode = webhook.url === '/inbox' ? 500 : 200;
      response.end();
    };
  }),
  replyWhile('answers 500'),
  prepare(theatre => {
    theatre.receiver.respond = (_webhook, response) => void response.end();
  }),
  setWebhook(theatre => `${theatre.receiver.url.replace('//', '//user:pa%20ss@')}/inbox`),
  replyWhile('has basic auth in the URL'),
  setWebhook(theatre => `${theatre.receiver.url}/inbox?key=abc`),
  replyWhile('has a query string'),
  setWebhook(theatre => `${theatre.receiver.url}/inbox`),
  changeInbox({ name: 'Renamed e3ehzd', greeting_enabled: true, greeting_message: 'Welcome to us!' }),
  visitorWrites('m-xg1nz8'),
  changeInbox({
    greeting_enabled: false,
    working_hours_enabled: true,
    out_of_office_message: 'We are closed',
    working_hours: [0, 1, 2, 3, 4, 5, 6].map(day => ({ day_of_week: day, closed_all_day: true, open_all_day: false })),
  }),
  visitorWrites('m-k4i41i'),
];

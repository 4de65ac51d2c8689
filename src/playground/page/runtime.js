import { answer, briefing, resume, teamFor } from './bot.js';
import { createInbox } from './inbox.js';
import { CallFailed, newKey } from './graphql.js';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;

/**
 * A bot runtime: it sends the end-user's messages, gets replies from its bot, and shows them only while the bot has
 * control. The rule: send the epoch that you believe to be current, and stay silent after CONTROL_LOST.
 */
export function createRuntime({ call, subscribe, conversation, chatbot, teams }) {
  let chosenTeam = 'AUTO';
  let work = Promise.resolve();
  let stopStatus = () => {},
    isOpen = false,
    isStopped = false,
    retryNow = () => {};
  const inbox = createInbox({
    call,
    subscribe,
    conversation,
    chatbot,
    onOutcome: (outcome, session, handoff) => inOrder(() => goOn(outcome, session, handoff)),
  });
  const event = (code, text, more = {}) => conversation.add({ kind: 'event', id: newKey(), code, text, ...more });

  /**
   * Runs one step after another. Repeats a step that may be retried until it succeeds, and no later step overtakes it.
   */
  const inOrder = step => (work = work.then(() => untilDone(step)).catch(report));

  /** Repeats a step. Steps keep their idempotency keys, so a repetition of one that took effect changes nothing. */
  async function untilDone(step) {
    for (let attempt = 0; !isStopped; attempt++) {
      try {
        return await step();
      } catch (error) {
        if (!(error instanceof CallFailed && error.mayRetry)) throw error;
        await new Promise(resolve => {
          const timer = setTimeout(resolve, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10)));
          retryNow = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
  }

  async function open() {
    if (!isOpen) await openSession();
    // After a reload during a message: the same keys give the same results, so sending it again is safe.
    for (const line of conversation.lines.filter(({ state }) => state === 'sending' || state === 'waiting'))
      await turn(line);
  }

  async function openSession() {
    const known = conversation.sessionId;
    const payload = checked(
      await call('OpenSession', {
        input: {
          chatbotId: chatbot.id,
          channel: 'playground',
          externalId: conversation.externalId,
          endUser: { name: 'Robin', locale: navigator.language },
        },
      }),
    );
    if (payload.session.closedAt !== null) {
      conversation.restart();
      return openSession();
    }
    if (known !== null && known !== payload.session.id)
      event('SESSION_RENEWED', 'The service no longer has this conversation; it continues as a new one.');
    conversation.opened(payload.session);
    stopStatus();
    stopStatus = subscribe(
      'ConversationStatus',
      () => ({ sessionId: payload.session.id }),
      status => {
        conversation.believe({ id: payload.session.id, epoch: status.epoch });
        conversation.show(status);
      },
    );
    await inbox.start();
    isOpen = true;
  }

  async function turn(line) {
    if (line.state === 'sent') return;
    conversation.change(line.id, { state: 'sending', problem: null });
    try {
      if (!isOpen) await openSession();
      const heard = checked(
        await call('RecordEndUserMessage', {
          input: {
            sessionId: conversation.sessionId,
            text: line.text,
            attachments: line.attachments,
            idempotencyKey: line.id,
          },
        }),
      );
      conversation.believe(heard.session);
      if (heard.mayReply) await reply(line, heard.session.epoch);
      else
        conversation.add({
          kind: 'event',
          id: `silent:${heard.session.id}:${heard.session.epoch}`,
          code: 'BOT_SILENT',
          text: `The bot is silent: ${holder(heard.session.control)} (epoch ${heard.session.epoch}).`,
        });
      conversation.change(line.id, { state: 'sent' });
    } catch (error) {
      // A service that lost its data knows no sessions: the next attempt opens a new one.
      isOpen &&= error.code !== 'SESSION_NOT_FOUND';
      const isRepeated = error instanceof CallFailed && error.mayRetry;
      conversation.change(line.id, { state: isRepeated ? 'waiting' : 'unsent', problem: problemOf(error) });
      if (isRepeated) throw error;
    }
  }

  async function reply(line, epoch) {
    if (!line.reply) {
      const { memory, ...reply } = answer(line.text, chatbot.name, conversation.bot);
      conversation.remember(memory);
      conversation.change(line.id, { reply });
    }
    const { text, person } = line.reply;
    const wasSaid = await sayAsBot(text, epoch, `answer:${line.id}`);
    if (wasSaid && person) await requestPerson(person.reason, `person:${line.id}`);
  }

  /** @returns whether the end-user may read it */
  async function sayAsBot(text, epoch, idempotencyKey, onControlLost = 'REJECT') {
    const payload = await call('SendBotMessage', {
      input: { sessionId: conversation.sessionId, text, epoch, idempotencyKey, onControlLost },
    });
    const lost = payload.userErrors.find(({ code }) => code === 'CONTROL_LOST');
    if (lost) {
      conversation.believe({ id: conversation.sessionId, epoch: lost.epoch });
      event(
        'CONTROL_LOST',
        `A bot message was refused: ${holder(lost.control)} at epoch ${lost.epoch}, and the message had epoch ${epoch}.`,
      );
      return false;
    }
    checked(payload);
    conversation.believe(payload.session);
    if (payload.delivered)
      conversation.add({
        kind: 'message',
        id: payload.message.id,
        author: 'BOT',
        name: chatbot.name,
        text,
        attachments: [],
        at: payload.message.createdAt,
      });
    else
      event(
        'SUGGESTED',
        'The bot has no control, so its message went to the agents as a suggestion. It is not shown here.',
      );
    return payload.delivered;
  }

  async function requestPerson(reason, idempotencyKey) {
    const memory = conversation.bot;
    const { intent, summary, fields, resumeTarget } = briefing(chatbot.name, memory);
    const team = chosenTeam === 'AUTO' ? teamFor(memory, teams) : chosenTeam === 'ANY' ? null : chosenTeam;
    const payload = checked(
      await call('RequestHandoff', {
        input: {
          sessionId: conversation.sessionId,
          target: { team },
          reason,
          summary,
          intent,
          fields,
          resumeTarget,
          idempotencyKey,
        },
      }),
    );
    conversation.believe(payload.session);
    const teamName = teams.find(({ id }) => id === team)?.name ?? 'any team';
    event(
      'HANDOFF_REQUESTED',
      payload.alreadyLive ? 'A handoff is live already.' : `A handoff was requested: ${teamName}.`,
      {
        details: [
          ['Team', teamName],
          ['Reason', reason],
          ['Summary', summary],
          ['Intent', intent],
          ...Object.entries(fields),
          ['Bot resumes at', resumeTarget],
        ],
      },
    );
  }

  async function goOn(outcome, session, handoffId) {
    const text = resume(outcome, chatbot.name, conversation.bot);
    conversation.remember(conversation.bot && { ...conversation.bot, expects: null, misses: 0 });
    if (text !== null) await sayAsBot(text, session.epoch, `resume:${handoffId}`);
  }

  function report(error) {
    event('PROBLEM', problemOf(error));
  }

  return {
    start: () => inOrder(open),
    say(text, attachments = []) {
      const line = conversation.add({
        kind: 'message',
        id: newKey(),
        author: 'END_USER',
        name: 'You',
        text,
        attachments,
        state: 'sending',
      });
      return inOrder(() => turn(line));
    },
    tryAgain: line => inOrder(() => turn(line)),
    askForPerson() {
      const key = newKey();
      return inOrder(() => requestPerson('The end-user pressed “Talk to a person”', key));
    },
    cancel() {
      const idempotencyKey = newKey();
      return inOrder(async () =>
        conversation.believe(
          checked(
            await call('CancelHandoff', {
              input: { sessionId: conversation.sessionId, reason: 'USER_ENDED', idempotencyKey },
            }),
          ).session,
        ),
      );
    },
    /** Sends a bot message with the previous epoch, like a runtime that missed the change of control. */
    interrupt(onControlLost) {
      const key = newKey();
      return inOrder(() =>
        sayAsBot('Have you tried turning it off and on again?', conversation.epoch - 1, key, onControlLost),
      );
    },
    chooseTeam(team) {
      chosenTeam = team;
    },
    restart: () =>
      inOrder(async () => {
        const sessionId = conversation.sessionId;
        // After any result except a failed call, there is nothing left to close.
        if (sessionId !== null)
          await call('CloseSession', { input: { sessionId, idempotencyKey: `close:${sessionId}` } });
        conversation.restart();
        isOpen = false;
        await open();
      }),
    /** The service is reachable again, so the next retry need not wait. */
    reachable() {
      retryNow();
    },
    stop() {
      isStopped = true;
      retryNow();
      stopStatus();
      inbox.stop();
    },
  };
}

const holder = control =>
  ({ BOT: 'the bot has control', NONE: 'a handoff was requested', HUMAN: 'an agent has control' })[control];
const problemOf = error => {
  if (!(error instanceof CallFailed)) console.error(error);
  return error instanceof CallFailed
    ? `${error.message} (${error.code})`
    : 'This page has an error; see the browser’s console.';
};

/** Throws the first user error. A real runtime would switch over its code. */
function checked(payload) {
  const [first] = payload.userErrors;
  if (first) throw new CallFailed(first.code, first.message, false);
  return payload;
}

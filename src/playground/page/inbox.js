const RETRY_ACKNOWLEDGE_MS = 2_000;

/**
 * Collects agents' messages and handoff outcomes. They reach a runtime as deliveries, each of which stays pending until
 * it is acknowledged. So it may come more than once and is never lost.
 */
export function createInbox({ call, subscribe, conversation, chatbot, onOutcome }) {
  const toAcknowledge = new Set();
  let stopPush = null,
    isFlushing = false;

  function take({ id, session, notice }) {
    // Another window collects the deliveries of its own sessions.
    if (!conversation.isOurs(session.id)) return;
    if (session.id === conversation.sessionId) show(session, notice);
    toAcknowledge.add(id);
    void flush();
  }

  function show(session, notice) {
    conversation.believe(session);
    if (notice.__typename === 'SupportMessageNotice') return showMessage(notice.message);
    if (notice.__typename === 'HandoffStateNotice') return showState(notice);
    if (notice.__typename !== 'HandoffOutcomeNotice') return;
    const { handoff, outcome } = notice;
    if (conversation.has(`outcome:${handoff.id}`)) return;
    conversation.add({
      kind: 'event',
      id: `outcome:${handoff.id}`,
      code: 'OUTCOME',
      outcome: outcome.state,
      text: OUTCOMES[outcome.state](outcome),
      details: [
        ['State', outcome.state],
        ['Reason', outcome.reason ?? outcome.failureCode],
        ['Agent', outcome.agent?.name],
        ['Bot resumes at', outcome.resumeTarget],
      ].filter(([, value]) => value),
    });
    onOutcome(outcome, session, handoff.id);
  }

  function showMessage({ id, author, visibility, text, attachments, authorName, createdAt }) {
    // The service sends only public messages here. A runtime should check this nevertheless.
    if (visibility !== 'PUBLIC') return;
    conversation.add({
      kind: 'message',
      id,
      author,
      name: authorName ?? (author === 'AGENT' ? 'Agent' : 'Support'),
      text,
      attachments,
      at: createdAt,
    });
  }

  function showState({ state, handoff }) {
    if (!TAKEN.has(state)) return;
    const who = handoff.agent?.name ?? 'A person';
    conversation.add({
      kind: 'event',
      id: `joined:${handoff.id}:${who}`,
      code: 'AGENT_JOINED',
      text: `${who} is with you now.`,
    });
  }

  async function flush() {
    if (isFlushing || toAcknowledge.size === 0) return;
    isFlushing = true;
    // Collects all deliveries of the same tick into one call.
    await null;
    const ids = [...toAcknowledge].slice(0, 500);
    try {
      await call('AcknowledgeDeliveries', { input: { ids } });
      for (const id of ids) toAcknowledge.delete(id);
      isFlushing = false;
      void flush();
    } catch {
      setTimeout(() => {
        isFlushing = false;
        void flush();
      }, RETRY_ACKNOWLEDGE_MS);
    }
  }

  return {
    /** Shows the pending deliveries, then each new one. */
    async start() {
      let after = null;
      do {
        const page = await call('RuntimeInbox', { sessionId: conversation.sessionId, after });
        page.nodes.forEach(take);
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      } while (after !== null);
      stopPush ??= subscribe('RuntimeDeliveries', () => ({ chatbotId: chatbot.id }), take);
    },
    stop() {
      stopPush?.();
    },
  };
}

const TAKEN = new Set(['ASSIGNED', 'ACTIVE']);
const OUTCOMES = {
  ENDED: ({ reason, agent }) =>
    `${ENDINGS[reason]?.(agent?.name ?? 'The agent') ?? 'The handoff is over'}. The bot has control again.`,
  REJECTED: () => 'No agent is available; the bot keeps control.',
  FAILED: () => 'No agent could be reached; the bot keeps control.',
};
const ENDINGS = {
  AGENT_RESOLVED: who => `${who} resolved it`,
  AGENT_RETURNED: who => `${who} returned it to the bot`,
  USER_ENDED: () => 'You ended the handoff',
  BOT_CANCELLED: () => 'The bot cancelled its request',
};

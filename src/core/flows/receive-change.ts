import { instantOf } from '../ports/clock';
import type { ProviderMessageId } from '../ids';
import type { SessionTransaction } from '../ports/stores';
import type { Observation } from '../ports/support-provider';
import type { FlowDeps } from './deps';

type Change = Extract<Observation, { readonly kind: 'unshowable' | 'messageDeleted' | 'survey' }>;

/** An agent should know when end-users do not see what they sent. Said once for each message. */
export async function tellAgents(tx: SessionTransaction, about: ProviderMessageId, what: string): Promise<void> {
  await tx.oweProvider({ kind: 'POST_NOTE', noteId: `unshown:${tx.session.id}:${about}`, about, text: `A part of your message was not shown to the end-user: ${what}.` });
}

/** What is found besides words: things taken back, things that cannot be shown, a survey. Repeats change nothing. */
export async function receiveChange(tx: SessionTransaction, deps: FlowDeps, change: Change): Promise<void> {
  const at = instantOf(deps.clock.now());
  switch (change.kind) {
    case 'messageDeleted': {
      const message = await tx.messageByProviderId(change.id);
      // Of what never went out nobody has to be told.
      if (message === null || message.deletedAt !== null) return;
      await tx.updateMessage(message.id, { deletedAt: at });
      await tx.appendEvent({ type: 'MESSAGE_DELETED', messageId: message.id }, message.handoffId, at);
      if (message.author === 'AGENT') await tx.oweRuntime({ kind: 'MESSAGE_DELETED', messageId: message.id });
      return;
    }
    case 'unshowable': {
      // Kept under its id, so that it is told once; INTERNAL, so that it goes nowhere.
      if ((await tx.messageByProviderId(change.id)) !== null) return;
      const message = await tx.insertMessage({
        id: deps.clock.newId(), author: 'AGENT', visibility: 'INTERNAL', text: '', attachments: [], authorName: null, agentId: null,
        handoffId: tx.liveHandoff?.id ?? null, callerMessageId: null, providerMessageId: change.id, createdAt: at,
      });
      await tx.appendEvent({ type: 'MESSAGE_RECORDED', messageId: message.id, author: message.author, visibility: message.visibility }, message.handoffId, at);
      return tellAgents(tx, change.id, change.what);
    }
    case 'survey': {
      const handoff = await tx.lastHandoff();
      if (handoff === null) return;
      const { survey } = handoff;
      const isKnown = survey?.externalId === change.id;
      if (isKnown && (change.answer === null || survey.answer !== null)) return;
      const answer = change.answer === null ? null : { ...change.answer, at };
      await tx.updateHandoff(handoff.id, {
        survey: { externalId: change.id, url: change.url, question: change.question, choices: change.choices, offeredAt: change.at, answer },
      });
      if (!isKnown) {
        await tx.appendEvent({ type: 'SURVEY_OFFERED' }, handoff.id, at);
        if (answer === null) await tx.oweRuntime({ kind: 'SURVEY', handoffId: handoff.id });
      }
      if (answer !== null) await tx.appendEvent({ type: 'SURVEY_ANSWERED', rating: answer.rating }, handoff.id, at);
    }
  }
}

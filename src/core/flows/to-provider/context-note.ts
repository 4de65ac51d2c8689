import type { HandoffRecord } from '../../handoff';
import type { HandoffId } from '../../ids';
import {
  isConversationLost,
  lookupAfterOf,
  recordPostTime,
  recordWrite,
  type DeliveryContext,
} from './delivery-context';
import { ensureConversation } from './ensure-conversation';

/** Returns the id of a handoff's context note, which the provider stores. */
const noteIdOf = (handoffId: HandoffId): string => `handoff:${handoffId}`;

/** Posts the context note. Called by its delivery, before the handoff is opened. */
export async function postContextNote(context: DeliveryContext, handoff: HandoffRecord): Promise<void> {
  const text = contextNote(handoff);
  if (text === null || !context.account.capabilities.privateNotes) return;
  // A new conversation gets its own delivery of the note.
  if (isConversationLost(context)) return;
  const conversation = await ensureConversation(context);
  await context.provider.postNote({
    conversation,
    noteId: noteIdOf(handoff.id),
    text,
    mayExist: !context.isFirstAttempt,
    lookupAfter: lookupAfterOf(context, conversation),
  });
  await recordWrite(context, conversation, tx => recordPostTime(tx, context.deps));
}

/** Renders reason, summary, fields and links as one note; null if the runtime gave none of them. */
export function contextNote(handoff: HandoffRecord): string | null {
  const lines = [
    handoff.reason && `Reason: ${handoff.reason}`,
    handoff.intent && `Intent: ${handoff.intent}`,
    handoff.summary && `Summary: ${handoff.summary}`,
    ...Object.entries(handoff.fields).map(([name, value]) => `${name}: ${value}`),
    ...handoff.links.map(({ label, url }) => `${label}: ${url}`),
  ].filter((line): line is string => typeof line === 'string');
  return lines.length === 0 ? null : ['Handed over by the bot.', ...lines].join('\n');
}

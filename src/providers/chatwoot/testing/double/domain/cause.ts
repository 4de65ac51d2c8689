import type { Actor } from '../http/call';
import type { AgentBot, Contact, User } from '../model';

/** The author of a change, whom activity lines name. */
export interface Cause {
  user?: User;
  bot?: AgentBot;
  contact?: Contact;
  /** Caused by a rule of the account. */
  byRule?: true;
}

export const NOBODY: Cause = {};

export function causeOf(actor: Actor | undefined): Cause {
  if (actor?.kind === 'user') return { user: actor.user };
  if (actor?.kind === 'bot') return { bot: actor.bot };
  return NOBODY;
}

export const BY_RULE: Cause = { byRule: true };

export const nameOf = (cause: Cause): string | undefined =>
  cause.user?.name ?? cause.bot?.name ?? (cause.byRule ? 'Automation System' : undefined);

import type { OrganizationId, UserId } from './ids';

/** The kinds of callers: the platform's gateway, a bot runtime, a person's UI, or an operator. */
export const CALLER_ROLES = ['gateway', 'bot', 'ui', 'operator'] as const;
export type CallerRole = (typeof CALLER_ROLES)[number];

/** The caller of an operation. Everything that the operation reads and writes is scoped by `organizationId`. */
export interface Caller {
  readonly organizationId: OrganizationId;
  readonly role: CallerRole;
  /** The person who uses the client, if known. */
  readonly userId: UserId | null;
}

/** The permission that an operation needs. */
export type OperationKind = 'READ' | 'SUBSCRIBE' | 'RUNTIME' | 'SET_UP' | 'OPERATE';

const ALLOWED: Readonly<Record<OperationKind, readonly CallerRole[]>> = {
  READ: CALLER_ROLES,
  SUBSCRIBE: CALLER_ROLES,
  RUNTIME: ['bot', 'gateway', 'operator'],
  SET_UP: ['operator', 'gateway'],
  OPERATE: ['operator', 'gateway'],
};

export const allows = (role: CallerRole, kind: OperationKind): boolean => ALLOWED[kind].includes(role);

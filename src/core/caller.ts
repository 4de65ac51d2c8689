import type { OrganizationId, UserId } from './ids';

/** Who calls: the platform's gateway, a bot runtime, a person's UI, or an operator. */
export const CALLER_ROLES = ['gateway', 'bot', 'ui', 'operator'] as const;
export type CallerRole = (typeof CALLER_ROLES)[number];

/** Every operation has one. All that it reads and writes is scoped by `organizationId`. */
export interface Caller {
  readonly organizationId: OrganizationId;
  readonly role: CallerRole;
  /** The person behind it, when there is one. */
  readonly userId: UserId | null;
}

/** What an operation does, as far as permission goes. */
export type OperationKind = 'READ' | 'SUBSCRIBE' | 'RUNTIME' | 'SET_UP' | 'OPERATE';

const ALLOWED: Readonly<Record<OperationKind, readonly CallerRole[]>> = {
  READ: CALLER_ROLES,
  SUBSCRIBE: CALLER_ROLES,
  RUNTIME: ['bot', 'gateway', 'operator'],
  SET_UP: ['operator', 'gateway'],
  OPERATE: ['operator', 'gateway'],
};

export const allows = (role: CallerRole, kind: OperationKind): boolean => ALLOWED[kind].includes(role);

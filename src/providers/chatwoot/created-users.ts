import { randomBytes } from 'node:crypto';
import type { AccountAccess } from '../../core/ports/provider/access';
import type { Person } from '../../core/ports/provider/setup-verbs';

export const BOT_NAME = 'BotAgent1';

/**
 * Attribute of a user that this service created; its value is our account's id. Chatwoot keeps the attributes of a user
 * that existed before, so such a user never has it.
 */
export const CREATED_FOR_ATTRIBUTE = 'support_made_for';

export const personOf = (access: AccountAccess, { name, email }: Person) => ({
  name,
  email,
  password: createPassword(),
  custom_attributes: { [CREATED_FOR_ATTRIBUTE]: access.accountId },
});

/**
 * Returns a password that Chatwoot accepts: upper and lower case, a digit and a special character. It is never used;
 * access is by tokens and login links.
 */
export const createPassword = (): string => `${randomBytes(24).toString('base64url')}aA1!`;

import { z } from 'zod';
import { addressProblem } from '../../core/checks/url';
import type { ProviderDefinition } from '../../core/ports/provider/definition';

const email = z
  .email()
  .max(320)
  .transform(text => text.toLowerCase());
const name = z.string().trim().min(1).max(200);

const settingsSchema = z.strictObject({
  /** Agents in addition to the owners. */
  agents: z.array(z.strictObject({ name, email })).max(1_000).default([]),
  /** `members` are e-mails. If omitted, all agents are members. */
  teams: z
    .array(z.strictObject({ name, members: z.array(email).optional() }))
    .max(200)
    .default([{ name: 'support' }]),
});
export type DeskSettings = z.output<typeof settingsSchema>;

/**
 * Parses settings that `parseSettings` has validated before.
 * @throws ZodError
 */
export const deskSettings = (settings: Readonly<Record<string, unknown>>): DeskSettings =>
  settingsSchema.parse(settings);

export const parseSettings: ProviderDefinition['parseSettings'] = ({ baseUrl, settings, credentials }) => {
  const checked = settingsSchema.safeParse(settings);
  return {
    problems: [
      ...(baseUrl === null || addressProblem(baseUrl, 'base') === null
        ? []
        : [
            {
              field: 'baseUrl',
              message:
                "The base URL is no http(s) address; give this service's public address, where end-users fetch agents' files, or leave it out.",
            },
          ]),
      ...(checked.error?.issues ?? []).map(({ path, message }) => ({
        field: ['settings', ...path].join('.'),
        message,
      })),
      ...Object.keys(credentials).map(key => ({
        field: `credentials.${key}`,
        message: 'The desk takes no credentials; leave this out.',
      })),
    ],
  };
};

import { z } from 'zod';
import { addressProblem } from '../../core/checks/url';
import type { ProviderDefinition } from '../../core/ports/support-provider';

const email = z.email().max(320).transform((text) => text.toLowerCase());
const name = z.string().trim().min(1).max(200);

const settingsSchema = z.strictObject({
  /** People who answer, beside the owners. */
  agents: z.array(z.strictObject({ name, email })).max(1_000).default([]),
  /** `members` by e-mail; left out: everybody. */
  teams: z.array(z.strictObject({ name, members: z.array(email).optional() })).max(200).default([{ name: 'support' }]),
});
export type DeskSettings = z.output<typeof settingsSchema>;

/** @throws ZodError; set-up checks with parseSettings before anything calls this */
export const deskSettings = (settings: Readonly<Record<string, unknown>>): DeskSettings => settingsSchema.parse(settings);

export const parseSettings: ProviderDefinition['parseSettings'] = ({ baseUrl, settings, credentials }) => {
  const checked = settingsSchema.safeParse(settings);
  return {
    problems: [
      ...(baseUrl === null || addressProblem(baseUrl, 'base') === null ? [] : [{ field: 'baseUrl', message: 'Give the public http(s) address of this service, under which end-users can fetch files that agents send, or leave it out.' }]),
      ...(checked.error?.issues ?? []).map(({ path, message }) => ({ field: ['settings', ...path].join('.'), message })),
      ...Object.keys(credentials).map((key) => ({ field: `credentials.${key}`, message: 'The desk takes no credentials; leave this out.' })),
    ],
  };
};

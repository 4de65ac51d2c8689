/** REST's usual time: whole unix seconds. */
export const seconds = (at: number) => Math.floor(at / 1000);

/** As `seconds`, with 0 for never. */
export const secondsOrZero = (at: number | null) => (at === null ? 0 : seconds(at));

export const iso = (at: number) => new Date(at).toISOString();

export const isoOrNull = (at: number | null) => (at === null ? null : iso(at));

/** `updated_at` of a conversation: unix seconds with a fraction. */
export const fraction = (at: number) => at / 1000;

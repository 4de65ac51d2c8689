/** The usual time format of REST: whole Unix seconds. */
export const seconds = (at: number) => Math.floor(at / 1000);

/** Like `seconds`, with 0 for never. */
export const secondsOrZero = (at: number | null) => (at === null ? 0 : seconds(at));

export const iso = (at: number) => new Date(at).toISOString();

export const isoOrNull = (at: number | null) => (at === null ? null : iso(at));

/** The format of a conversation's `updated_at`: Unix seconds with a fraction. */
export const fraction = (at: number) => at / 1000;

/** The time of a change: the present, or a microsecond after the last change when the clock has not moved since. */
export const later = (before: number, now: number) => Math.max(now, before + 0.001);

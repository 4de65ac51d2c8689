/** Returns the time of a change: now, or a microsecond after the last change if the clock has not advanced. */
export const later = (before: number, now: number) => Math.max(now, before + 0.001);

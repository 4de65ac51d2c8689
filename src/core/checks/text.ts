/** Text that every store and remote can hold: without NUL, and with U+FFFD for each lone half of a surrogate pair. */
export const cleanText = (text: string): string => text.replaceAll('\u0000', '').replace(/\p{Surrogate}/gu, '\ufffd');

/** Whether `cleanText` leaves it as it is. */
export const isCleanText = (text: string): boolean => !/[\u0000\p{Surrogate}]/u.test(text);

/** The beginning of a text, at most `max` UTF-16 code units, never ending with half of a surrogate pair. */
export function beginningOf(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** As `beginningOf`, ending with an ellipsis when something was cut off. `max` counts the ellipsis too. */
export const shortened = (text: string, max: number): string => (text.length <= max ? text : `${beginningOf(text, max - 1).trimEnd()}…`);

/** A cut before this share of the room is no better readable: then the words themselves are cut. */
const LEAST_SHARE = 0.5;

/**
 * The longest readable beginning of a text that fits: it ends at a paragraph, else at a line, else at a word.
 * @param fits whether a beginning fits; must hold for every shorter one too
 */
export function readableBeginning(text: string, fits: (beginning: string) => boolean): string {
  if (fits(text)) return text;
  let [most, least] = [text.length, 0];
  while (most - least > 1) {
    const middle = (most + least) >> 1;
    if (fits(beginningOf(text, middle))) least = middle;
    else most = middle;
  }
  const longest = beginningOf(text, least);
  for (const boundary of ['\n\n', '\n', ' ']) {
    const at = text.slice(0, longest.length + boundary.length).lastIndexOf(boundary);
    if (at >= longest.length * LEAST_SHARE) return longest.slice(0, at).trimEnd();
  }
  return longest;
}

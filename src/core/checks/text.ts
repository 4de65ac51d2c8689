/**
 * Returns a text that every store and remote can hold: without NUL, and with U+FFFD for each lone half of a surrogate
 * pair.
 */
export const cleanText = (text: string): string => text.replaceAll('\u0000', '').replace(/\p{Surrogate}/gu, '\ufffd');

/** Returns whether `cleanText` leaves the text unchanged. */
export const isCleanText = (text: string): boolean => !/[\u0000\p{Surrogate}]/u.test(text);

/** Returns the beginning of a text: at most `max` UTF-16 code units, and never half of a surrogate pair at its end. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** As `beginningOf`, but ends with an ellipsis if something was cut off. `max` includes the ellipsis. */
export const shortenText = (text: string, max: number): string =>
  text.length <= max ? text : `${cutText(text, max - 1).trimEnd()}…`;

/** A boundary before this share of the possible length loses too much text; then the text is cut within a word. */
const MIN_READABLE_SHARE = 0.5;

/**
 * Returns the longest readable beginning that fits. It ends at a paragraph, otherwise at a line, otherwise at a word.
 * @param fits whether a beginning fits; must be true for every shorter one too
 */
export function cutReadably(text: string, fits: (beginning: string) => boolean): string {
  if (fits(text)) return text;
  let [max, min] = [text.length, 0];
  while (max - min > 1) {
    const middle = (max + min) >> 1;
    if (fits(cutText(text, middle))) min = middle;
    else max = middle;
  }
  const longest = cutText(text, min);
  for (const boundary of ['\n\n', '\n', ' ']) {
    const at = text.slice(0, longest.length + boundary.length).lastIndexOf(boundary);
    if (at >= longest.length * MIN_READABLE_SHARE) return longest.slice(0, at).trimEnd();
  }
  return longest;
}

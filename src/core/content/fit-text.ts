import { cutReadably } from '../checks/text';

export interface FittedText {
  /** The text of the message. */
  readonly text: string;
  /** The whole text as an attached file; null if the message contains all of it. */
  readonly file: { readonly name: string; readonly content: string } | null;
}

/**
 * Splits a text that is too long for a remote into a readable beginning and a file with all of it. Called by providers,
 * which know the limit and how much escaping lengthens the text.
 * @param fits whether a text fits as it would be sent; must be true for every shorter one too
 */
export function fitText(text: string, fileName: string, fits: (text: string) => boolean): FittedText {
  if (fits(text)) return { text, file: null };
  const pointer = `\n\n… Shortened: the whole text is in the attached file ${fileName}.`;
  return {
    text: `${cutReadably(text, beginning => fits(beginning + pointer))}${pointer}`,
    file: { name: fileName, content: text },
  };
}

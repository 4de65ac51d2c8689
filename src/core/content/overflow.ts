import { readableBeginning } from '../checks/text';

export interface Fitted {
  /** What goes as the message. */
  readonly text: string;
  /** The whole text, to go beside it as a file; null when the message holds all of it. */
  readonly file: { readonly name: string; readonly content: string } | null;
}

/**
 * A text that is longer than a remote takes, as its readable beginning and a file with all of it. Called by providers, which
 * know how long a text is there: escaping can lengthen it.
 * @param fits whether a text fits as it would be sent; must hold for every shorter one too
 */
export function fitText(text: string, fileName: string, fits: (text: string) => boolean): Fitted {
  if (fits(text)) return { text, file: null };
  const pointer = `\n\n… Shortened: the whole text is in the attached file ${fileName}.`;
  return { text: `${readableBeginning(text, beginning => fits(beginning + pointer))}${pointer}`, file: { name: fileName, content: text } };
}

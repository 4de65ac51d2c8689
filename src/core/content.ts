/**
 * What a message holds besides words and files. Closed: a consumer can switch over `kind`. Whatever it is, the message's
 * `text` says it in words too (`content/words.ts`), so that nobody has to know a kind to show everything.
 */
export type ContentBody = Location | ContactCard | Choices | Cards | Form;
/** As it is kept: with the words that go with it, without it written out. */
export type MessageContent = ContentBody & { readonly caption: string };

export interface Location {
  readonly kind: 'LOCATION';
  /** Degrees, WGS 84. */
  readonly latitude: number;
  readonly longitude: number;
  readonly title: string | null;
  readonly address: string | null;
}

export interface ContactCard {
  readonly kind: 'CONTACT_CARD';
  readonly name: string;
  readonly organization: string | null;
  readonly phones: readonly string[];
  readonly emails: readonly string[];
}

/** Whoever picks one answers in words, with `replyTo` this message. */
export interface Choices {
  readonly kind: 'CHOICES';
  /** `BUTTONS` stay with the message; `QUICK_REPLIES` are gone once one was picked or something else was said. */
  readonly style: ChoicesStyle;
  readonly items: readonly Choice[];
}
export const CHOICES_STYLES = ['BUTTONS', 'QUICK_REPLIES'] as const;
export type ChoicesStyle = (typeof CHOICES_STYLES)[number];
export interface Choice {
  /** What people read. */
  readonly title: string;
  /** What programs compare. */
  readonly value: string;
}

export interface Cards {
  readonly kind: 'CARDS';
  readonly cards: readonly Card[];
}
export interface Card {
  readonly title: string;
  readonly description: string | null;
  readonly pictureUrl: string | null;
  readonly actions: readonly CardAction[];
}
/** A link has a `url`, a button that answers has a `value`. */
export interface CardAction {
  readonly title: string;
  readonly url: string | null;
  readonly value: string | null;
}

/** Whoever fills it in answers in words, one line for each field, with `replyTo` this message. */
export interface Form {
  readonly kind: 'FORM';
  readonly fields: readonly FormField[];
}
export const FORM_FIELD_TYPES = ['TEXT', 'LONG_TEXT', 'EMAIL', 'PHONE', 'NUMBER', 'DATE', 'SELECT'] as const;
export type FormFieldType = (typeof FORM_FIELD_TYPES)[number];
export interface FormField {
  /** What programs call it, unique within the form. */
  readonly name: string;
  readonly label: string;
  readonly type: FormFieldType;
  readonly isRequired: boolean;
  readonly placeholder: string | null;
  /** What a SELECT offers; empty for all others. */
  readonly options: readonly Choice[];
}

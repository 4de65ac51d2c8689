/**
 * The structured content of a message, besides text and files. The union is closed, so a consumer can switch over
 * `kind`. The message's `text` always contains it as plain text too (`content/plain-text.ts`), so a consumer that knows
 * no kind still shows everything.
 */
export type ContentBody = Location | ContactCard | Choices | Cards | Form;
/** Content as it is stored. `caption` is the message's own text, without the content as plain text. */
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

/** Choices for the end-user, who answers with a text message whose `replyTo` is this message. */
export interface Choices {
  readonly kind: 'CHOICES';
  /** `BUTTONS` stay with the message. `QUICK_REPLIES` disappear after a choice or another message. */
  readonly style: ChoicesStyle;
  readonly items: readonly Choice[];
}
export const CHOICES_STYLES = ['BUTTONS', 'QUICK_REPLIES'] as const;
export type ChoicesStyle = (typeof CHOICES_STYLES)[number];
export interface Choice {
  /** The text that people read. */
  readonly title: string;
  /** The value that programs compare. */
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
/** An action of a card: a link has a `url`, a button has a `value`. */
export interface CardAction {
  readonly title: string;
  readonly url: string | null;
  readonly value: string | null;
}

/** A form for the end-user, who answers with a text message, one line per field, whose `replyTo` is this message. */
export interface Form {
  readonly kind: 'FORM';
  readonly fields: readonly FormField[];
}
export const FORM_FIELD_TYPES = ['TEXT', 'LONG_TEXT', 'EMAIL', 'PHONE', 'NUMBER', 'DATE', 'SELECT'] as const;
export type FormFieldType = (typeof FORM_FIELD_TYPES)[number];
export interface FormField {
  /** The name for programs, unique within the form. */
  readonly name: string;
  readonly label: string;
  readonly type: FormFieldType;
  readonly isRequired: boolean;
  readonly placeholder: string | null;
  /** The options of a SELECT; empty for all other types. */
  readonly options: readonly Choice[];
}

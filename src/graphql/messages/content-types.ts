import { Field, Float, InterfaceType, ObjectType } from 'type-graphql';
import type { ChoicesStyle, FormFieldType, MessageContent } from '../../core/content';
import { ChoicesStyleEnum, FormFieldTypeEnum } from '../shared/enums';

const TYPENAMES: Readonly<Record<MessageContent['kind'], string>> = {
  LOCATION: 'SupportLocation',
  CONTACT_CARD: 'SupportContactCard',
  CHOICES: 'SupportChoices',
  CARDS: 'SupportCards',
  FORM: 'SupportForm',
};

@InterfaceType({
  description: 'Structured content of a message, besides text and files.',
  resolveType: (value: MessageContent) => TYPENAMES[value.kind],
})
export abstract class SupportMessageContent {
  @Field(() => String, {
    description: "The text that precedes the content: the message's `text` without the content written out.",
  })
  caption: string;
}
const content = { implements: SupportMessageContent, simpleResolvers: true } as const;

@ObjectType({ ...content, description: 'A location.' })
export class SupportLocation extends SupportMessageContent {
  @Field(() => Float, { description: 'Degrees, WGS 84.' }) latitude: number;
  @Field(() => Float) longitude: number;
  @Field(() => String, { nullable: true }) title: string | null;
  @Field(() => String, { nullable: true }) address: string | null;
}

@ObjectType({ ...content, description: 'Contact details of a person or an organization.' })
export class SupportContactCard extends SupportMessageContent {
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true }) organization: string | null;
  @Field(() => [String]) phones: readonly string[];
  @Field(() => [String]) emails: readonly string[];
}

@ObjectType({ simpleResolvers: true, description: 'One choice.' })
export class SupportChoice {
  @Field(() => String, { description: 'The label that people see.' }) title: string;
  @Field(() => String, { description: 'The value that programs compare.' }) value: string;
}

@ObjectType({
  ...content,
  description:
    "Choices, as buttons or quick replies. Record the end-user's choice as text with `replyTo` this message.",
})
export class SupportChoices extends SupportMessageContent {
  @Field(() => ChoicesStyleEnum) style: ChoicesStyle;
  @Field(() => [SupportChoice]) items: readonly SupportChoice[];
}

@ObjectType({ simpleResolvers: true, description: 'An action of a card: opens `url`, or sends `value` as the reply.' })
export class SupportCardAction {
  @Field(() => String) title: string;
  @Field(() => String, { nullable: true }) url: string | null;
  @Field(() => String, { nullable: true }) value: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'One card.' })
export class SupportCard {
  @Field(() => String) title: string;
  @Field(() => String, { nullable: true }) description: string | null;
  @Field(() => String, { nullable: true }) pictureUrl: string | null;
  @Field(() => [SupportCardAction]) actions: readonly SupportCardAction[];
}

@ObjectType({ ...content, description: 'One or more cards, side by side.' })
export class SupportCards extends SupportMessageContent {
  @Field(() => [SupportCard]) cards: readonly SupportCard[];
}

@ObjectType({ simpleResolvers: true, description: 'One field of a form.' })
export class SupportFormField {
  @Field(() => String, { description: 'The name that programs use, unique within the form.' }) name: string;
  @Field(() => String) label: string;
  @Field(() => FormFieldTypeEnum) type: FormFieldType;
  @Field(() => Boolean) isRequired: boolean;
  @Field(() => String, { nullable: true }) placeholder: string | null;
  @Field(() => [SupportChoice], { description: 'The options of a SELECT.' }) options: readonly SupportChoice[];
}

@ObjectType({
  ...content,
  description:
    "A form to fill in. Record the end-user's entries as text, one line for each field, with `replyTo` this message.",
})
export class SupportForm extends SupportMessageContent {
  @Field(() => [SupportFormField]) fields: readonly SupportFormField[];
}

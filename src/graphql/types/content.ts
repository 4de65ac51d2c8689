import { Field, Float, InterfaceType, ObjectType } from 'type-graphql';
import type { ChoicesStyle, FormFieldType, MessageContent } from '../../core/content';
import { ChoicesStyleEnum, FormFieldTypeEnum } from './enums';

const TYPENAMES: Readonly<Record<MessageContent['kind'], string>> = {
  LOCATION: 'SupportLocation', CONTACT_CARD: 'SupportContactCard', CHOICES: 'SupportChoices', CARDS: 'SupportCards', FORM: 'SupportForm',
};

@InterfaceType({ description: 'What a message holds besides words and files.', resolveType: (value: MessageContent) => TYPENAMES[value.kind] })
export abstract class SupportMessageContent {
  @Field(() => String, { description: 'The words that stand before it; the message\'s `text` without the rest written out.' }) caption: string;
}
const content = { implements: SupportMessageContent, simpleResolvers: true } as const;

@ObjectType({ ...content, description: 'A place.' })
export class SupportLocation extends SupportMessageContent {
  @Field(() => Float, { description: 'Degrees, WGS 84.' }) latitude: number;
  @Field(() => Float) longitude: number;
  @Field(() => String, { nullable: true }) title: string | null;
  @Field(() => String, { nullable: true }) address: string | null;
}

@ObjectType({ ...content, description: 'How somebody can be reached.' })
export class SupportContactCard extends SupportMessageContent {
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true }) organization: string | null;
  @Field(() => [String]) phones: readonly string[];
  @Field(() => [String]) emails: readonly string[];
}

@ObjectType({ simpleResolvers: true, description: 'One thing to choose.' })
export class SupportChoice {
  @Field(() => String, { description: 'What people read.' }) title: string;
  @Field(() => String, { description: 'What programs compare.' }) value: string;
}

@ObjectType({ ...content, description: 'Things to choose from: buttons or quick replies. Record the choice as text with `replyTo` this message.' })
export class SupportChoices extends SupportMessageContent {
  @Field(() => ChoicesStyleEnum) style: ChoicesStyle;
  @Field(() => [SupportChoice]) items: readonly SupportChoice[];
}

@ObjectType({ simpleResolvers: true, description: 'What a card offers to do: open `url`, or answer `value`.' })
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

@ObjectType({ ...content, description: 'Cards side by side.' })
export class SupportCards extends SupportMessageContent {
  @Field(() => [SupportCard]) cards: readonly SupportCard[];
}

@ObjectType({ simpleResolvers: true, description: 'One field of a form.' })
export class SupportFormField {
  @Field(() => String, { description: 'What programs call it, unique within the form.' }) name: string;
  @Field(() => String) label: string;
  @Field(() => FormFieldTypeEnum) type: FormFieldType;
  @Field(() => Boolean) isRequired: boolean;
  @Field(() => String, { nullable: true }) placeholder: string | null;
  @Field(() => [SupportChoice], { description: 'What a SELECT offers.' }) options: readonly SupportChoice[];
}

@ObjectType({ ...content, description: 'Something to fill in. Record the answers as text, a line for each field, with `replyTo` this message.' })
export class SupportForm extends SupportMessageContent {
  @Field(() => [SupportFormField]) fields: readonly SupportFormField[];
}

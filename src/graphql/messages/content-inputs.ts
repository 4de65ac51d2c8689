import { Field, Float, InputType } from 'type-graphql';
import type { ChoicesStyle, FormFieldType } from '../../core/content';
import { ChoicesStyleEnum, FormFieldTypeEnum } from '../shared/enums';

@InputType({ description: 'A location.' })
export class SupportLocationInput {
  @Field(() => Float, { description: 'Degrees, WGS 84.' }) latitude: number;
  @Field(() => Float) longitude: number;
  @Field(() => String, { nullable: true }) title?: string | null;
  @Field(() => String, { nullable: true }) address?: string | null;
}

@InputType({
  description: 'Contact details of a person or an organization. At most ten phone numbers and ten email addresses.',
})
export class SupportContactCardInput {
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true }) organization?: string | null;
  @Field(() => [String], { nullable: true }) phones?: string[] | null;
  @Field(() => [String], { nullable: true }) emails?: string[] | null;
}

@InputType()
export class SupportChoiceInput {
  @Field(() => String, { description: 'The label that people see; 1 to 200 characters.' }) title: string;
  @Field(() => String, {
    nullable: true,
    description: 'The value that programs compare, up to 1000 characters. If omitted: the title.',
  })
  value?: string | null;
}

@InputType({ description: 'A list of 1 to 30 choices.' })
export class SupportChoicesInput {
  @Field(() => ChoicesStyleEnum, { defaultValue: ChoicesStyleEnum.BUTTONS }) style: ChoicesStyle;
  @Field(() => [SupportChoiceInput]) items: SupportChoiceInput[];
}

@InputType({ description: 'Give either a url (http or https) or a value.' })
export class SupportCardActionInput {
  @Field(() => String) title: string;
  @Field(() => String, { nullable: true }) url?: string | null;
  @Field(() => String, { nullable: true }) value?: string | null;
}

@InputType()
export class SupportCardInput {
  @Field(() => String, { description: '1 to 200 characters.' }) title: string;
  @Field(() => String, { nullable: true, description: 'Up to 2000 characters.' }) description?: string | null;
  @Field(() => String, { nullable: true, description: 'http or https.' }) pictureUrl?: string | null;
  @Field(() => [SupportCardActionInput], { nullable: true, description: 'At most 5.' }) actions?:
    | SupportCardActionInput[]
    | null;
}

@InputType()
export class SupportFormFieldInput {
  @Field(() => String, { description: 'The name that programs use, unique within the form; 1 to 100 characters.' })
  name: string;
  @Field(() => String, { description: 'The label that people see; 1 to 200 characters.' }) label: string;
  @Field(() => FormFieldTypeEnum, { defaultValue: FormFieldTypeEnum.TEXT }) type: FormFieldType;
  @Field(() => Boolean, { defaultValue: false }) isRequired: boolean;
  @Field(() => String, { nullable: true }) placeholder?: string | null;
  @Field(() => [SupportChoiceInput], { nullable: true, description: 'The options of a SELECT, 1 to 30.' }) options?:
    | SupportChoiceInput[]
    | null;
}

@InputType({ description: 'A form of 1 to 30 fields.' })
export class SupportFormInput {
  @Field(() => [SupportFormFieldInput]) fields: SupportFormFieldInput[];
}

@InputType({
  description: 'Structured content of a message, besides text and files. Give exactly one field; `text` precedes it.',
})
export class SupportMessageContentInput {
  @Field(() => SupportLocationInput, { nullable: true }) location?: SupportLocationInput | null;
  @Field(() => SupportContactCardInput, { nullable: true }) contact?: SupportContactCardInput | null;
  @Field(() => SupportChoicesInput, { nullable: true }) choices?: SupportChoicesInput | null;
  @Field(() => [SupportCardInput], { nullable: true, description: '1 to 20.' }) cards?: SupportCardInput[] | null;
  @Field(() => SupportFormInput, { nullable: true }) form?: SupportFormInput | null;
}

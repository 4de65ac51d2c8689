import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { RuntimeEndpoint } from '../../core/runtime-endpoint';
import { EndpointDisabledReasonEnum, RuntimeEndpointStateEnum } from './enums';
import { SupportPayload } from './payloads';
import { DateTime } from './scalars';

const nullable = { nullable: true } as const;

@ObjectType({ simpleResolvers: true, description: 'Where a bot runtime is called back with its deliveries, as signed webhooks.' })
export class SupportRuntimeEndpoint {
  @Field(() => ID) id: string;
  @Field(() => ID, { ...nullable, description: 'Null: for every chatbot that has no endpoint of its own.' }) chatbotId: string | null;
  @Field(() => String) url: string;
  @Field(() => RuntimeEndpointStateEnum) state: RuntimeEndpoint['state'];
  @Field(() => EndpointDisabledReasonEnum, { ...nullable, description: 'Set while DISABLED.' }) disabledReason: RuntimeEndpoint['disabledReason'];
  @Field(() => DateTime, { ...nullable, description: 'Set while DISABLED.' }) disabledAt: string | null;
  @Field(() => DateTime, { ...nullable, description: 'The first failure since the last success; null while pushes succeed.' }) firstFailureAt: string | null;
  @Field(() => DateTime, nullable) lastFailureAt: string | null;
  @Field(() => String, { ...nullable, description: 'Stable; see docs/errors.md.' }) lastFailureCode: string | null;
  @Field(() => Int, { ...nullable, description: 'What it answered, if it answered.' }) lastFailureStatus: number | null;
  @Field(() => DateTime, { ...nullable, description: 'When it last proved itself.' }) verifiedAt: string | null;
  @Field(() => DateTime, { ...nullable, description: 'Until when secrets before the last rotation sign too.' }) previousSecretExpiresAt: string | null;
  @Field(() => DateTime) createdAt: string;
}

@InputType()
export class RegisterSupportRuntimeEndpointInput {
  @Field(() => String, { description: 'https; http only for this very machine. Up to 2000 characters.' }) url: string;
  @Field(() => ID, { ...nullable, description: 'Left out: for every chatbot that has no endpoint of its own.' }) chatbotId?: string | null;
}

@InputType()
export class EnableSupportRuntimeEndpointInput {
  @Field(() => ID) endpointId: string;
}

@InputType()
export class DisableSupportRuntimeEndpointInput {
  @Field(() => ID) endpointId: string;
}

@InputType()
export class RemoveSupportRuntimeEndpointInput {
  @Field(() => ID) endpointId: string;
}

@InputType()
export class RotateSupportRuntimeEndpointSecretInput {
  @Field(() => ID) endpointId: string;
  @Field(() => Int, { ...nullable, description: 'How long the old secret signs too: 0 to 604800, and a day when left out.' }) previousValidSeconds?: number | null;
}

const payload = { implements: SupportPayload, simpleResolvers: true } as const;
const SECRET = { ...nullable, description: 'Starts with `whsec_`. Answered this once: keep it where your receiver finds it.' };

@ObjectType(payload)
export class RegisterSupportRuntimeEndpointPayload extends SupportPayload {
  @Field(() => SupportRuntimeEndpoint, nullable) endpoint?: unknown;
  @Field(() => String, SECRET) secret?: string;
}

@ObjectType(payload)
export class EnableSupportRuntimeEndpointPayload extends SupportPayload {
  @Field(() => SupportRuntimeEndpoint, nullable) endpoint?: unknown;
}

@ObjectType(payload)
export class DisableSupportRuntimeEndpointPayload extends SupportPayload {
  @Field(() => SupportRuntimeEndpoint, nullable) endpoint?: unknown;
}

@ObjectType(payload)
export class RotateSupportRuntimeEndpointSecretPayload extends SupportPayload {
  @Field(() => SupportRuntimeEndpoint, nullable) endpoint?: unknown;
  @Field(() => String, SECRET) secret?: string;
}

@ObjectType(payload)
export class RemoveSupportRuntimeEndpointPayload extends SupportPayload {
  @Field(() => ID, nullable) removedId?: string;
}

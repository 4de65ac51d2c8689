import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { RuntimeEndpoint } from '../../core/runtime-endpoint';
import { EndpointDisabledReasonEnum, RuntimeEndpointStateEnum } from '../shared/enums';
import { SupportPayload } from '../shared/payloads';
import { DateTime } from '../shared/scalars';

const nullable = { nullable: true } as const;

@ObjectType({
  simpleResolvers: true,
  description: 'An endpoint of a bot runtime, to which its deliveries are pushed as signed webhooks.',
})
export class SupportRuntimeEndpoint {
  @Field(() => ID) id: string;
  @Field(() => ID, { ...nullable, description: 'Null: it serves every chatbot that has no endpoint of its own.' })
  chatbotId: string | null;
  @Field(() => String) url: string;
  @Field(() => RuntimeEndpointStateEnum) state: RuntimeEndpoint['state'];
  @Field(() => EndpointDisabledReasonEnum, { ...nullable, description: 'Set while DISABLED.' })
  disabledReason: RuntimeEndpoint['disabledReason'];
  @Field(() => DateTime, { ...nullable, description: 'Set while DISABLED.' }) disabledAt: string | null;
  @Field(() => DateTime, {
    ...nullable,
    description: 'The first failure since the last success; null while pushes succeed.',
  })
  firstFailureAt: string | null;
  @Field(() => DateTime, nullable) lastFailureAt: string | null;
  @Field(() => String, { ...nullable, description: 'Stable; see docs/errors.md.' }) lastFailureCode: string | null;
  @Field(() => Int, { ...nullable, description: 'The HTTP status of the last failure, if the endpoint responded.' })
  lastFailureStatus: number | null;
  @Field(() => DateTime, { ...nullable, description: 'When it last passed verification.' }) verifiedAt: string | null;
  @Field(() => DateTime, {
    ...nullable,
    description: 'Until then, pushes are also signed with the secrets before the last rotation.',
  })
  previousSecretExpiresAt: string | null;
  @Field(() => DateTime) createdAt: string;
}

@InputType()
export class RegisterSupportRuntimeEndpointInput {
  @Field(() => String, {
    description: 'https; http only for the machine that this service runs on. Up to 2000 characters.',
  })
  url: string;
  @Field(() => ID, { ...nullable, description: 'If omitted: it serves every chatbot that has no endpoint of its own.' })
  chatbotId?: string | null;
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
  @Field(() => Int, {
    ...nullable,
    description: 'Seconds for which pushes are also signed with the old secret: 0 to 604800; one day if omitted.',
  })
  previousValidSeconds?: number | null;
}

const payload = { implements: SupportPayload, simpleResolvers: true } as const;
const SECRET = {
  ...nullable,
  description: 'Starts with `whsec_`. Returned only this once: store it where your receiver can read it.',
};

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

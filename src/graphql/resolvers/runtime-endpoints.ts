import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import type { Stores } from '../../core/ports/stores';
import type { RuntimeEndpoint } from '../../core/runtime-endpoint';
import { OperationContext } from '../context';
import {
  DisableSupportRuntimeEndpointInput, DisableSupportRuntimeEndpointPayload, EnableSupportRuntimeEndpointInput, EnableSupportRuntimeEndpointPayload,
  RegisterSupportRuntimeEndpointInput, RegisterSupportRuntimeEndpointPayload, RemoveSupportRuntimeEndpointInput, RemoveSupportRuntimeEndpointPayload,
  RotateSupportRuntimeEndpointSecretInput, RotateSupportRuntimeEndpointSecretPayload, SupportRuntimeEndpoint,
} from '../types/runtime-endpoint';
import { answer } from './answer';

/** Where runtimes are called back. */
@Resolver()
export class RuntimeEndpoints {
  constructor(private readonly flows: Flows, private readonly stores: Stores) {}

  @Query(() => [SupportRuntimeEndpoint], { description: 'Where runtimes are called back, and how that fares.' })
  async supportRuntimeEndpoints(@Ctx() context: OperationContext): Promise<readonly RuntimeEndpoint[]> {
    return context.read('READ', ['supportRuntimeEndpoints'], ({ organizationId }) => this.stores.endpoints.of(organizationId));
  }

  @Mutation(() => RegisterSupportRuntimeEndpointPayload, { description: 'Gives an endpoint its secret. Nothing is pushed before enableSupportRuntimeEndpoint.' })
  registerSupportRuntimeEndpoint(@Arg('input', () => RegisterSupportRuntimeEndpointInput) input: RegisterSupportRuntimeEndpointInput, @Ctx() context: OperationContext): Promise<RegisterSupportRuntimeEndpointPayload> {
    return answer(context, 'SET_UP', {}, (scope) => this.flows.registerEndpoint(scope, { url: input.url, chatbotId: input.chatbotId ?? null }));
  }

  @Mutation(() => EnableSupportRuntimeEndpointPayload, { description: 'Calls the endpoint, which must answer the challenge; then everything that waits is pushed at once. Also after it was switched off, and for one that waits for its next try.' })
  enableSupportRuntimeEndpoint(@Arg('input', () => EnableSupportRuntimeEndpointInput) { endpointId }: EnableSupportRuntimeEndpointInput, @Ctx() context: OperationContext): Promise<EnableSupportRuntimeEndpointPayload> {
    return answer(context, 'SET_UP', {}, async (scope) => ({ endpoint: await this.flows.enableEndpoint(scope, endpointId) }));
  }

  @Mutation(() => DisableSupportRuntimeEndpointPayload, { description: 'Nothing is pushed any more; everything waits in the inbox.' })
  disableSupportRuntimeEndpoint(@Arg('input', () => DisableSupportRuntimeEndpointInput) { endpointId }: DisableSupportRuntimeEndpointInput, @Ctx() context: OperationContext): Promise<DisableSupportRuntimeEndpointPayload> {
    return answer(context, 'SET_UP', {}, async (scope) => ({ endpoint: await this.flows.disableEndpoint(scope, endpointId) }));
  }

  @Mutation(() => RotateSupportRuntimeEndpointSecretPayload, { description: 'Makes another secret; for a while the old one signs too.' })
  rotateSupportRuntimeEndpointSecret(@Arg('input', () => RotateSupportRuntimeEndpointSecretInput) input: RotateSupportRuntimeEndpointSecretInput, @Ctx() context: OperationContext): Promise<RotateSupportRuntimeEndpointSecretPayload> {
    return answer(context, 'SET_UP', {}, (scope) => this.flows.rotateEndpointSecret(scope, { endpointId: input.endpointId, previousValidSeconds: input.previousValidSeconds ?? null }));
  }

  @Mutation(() => RemoveSupportRuntimeEndpointPayload, { description: 'Forgets the endpoint. What waits goes to the organization\'s other one, or stays in the inbox.' })
  removeSupportRuntimeEndpoint(@Arg('input', () => RemoveSupportRuntimeEndpointInput) { endpointId }: RemoveSupportRuntimeEndpointInput, @Ctx() context: OperationContext): Promise<RemoveSupportRuntimeEndpointPayload> {
    return answer(context, 'SET_UP', {}, async (scope) => {
      await this.flows.removeEndpoint(scope, endpointId);
      return { removedId: endpointId };
    });
  }
}

import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import type { Stores } from '../../core/ports/stores';
import type { RuntimeEndpoint } from '../../core/runtime-endpoint';
import { OperationContext } from '../operation/context';
import {
  DisableSupportRuntimeEndpointInput,
  DisableSupportRuntimeEndpointPayload,
  EnableSupportRuntimeEndpointInput,
  EnableSupportRuntimeEndpointPayload,
  RegisterSupportRuntimeEndpointInput,
  RegisterSupportRuntimeEndpointPayload,
  RemoveSupportRuntimeEndpointInput,
  RemoveSupportRuntimeEndpointPayload,
  RotateSupportRuntimeEndpointSecretInput,
  RotateSupportRuntimeEndpointSecretPayload,
  SupportRuntimeEndpoint,
} from './types';
import { runMutation } from '../shared/run-mutation';

/** Endpoints of bot runtimes to which deliveries are pushed. */
@Resolver()
export class RuntimeEndpoints {
  constructor(
    private readonly flows: Flows,
    private readonly stores: Stores,
  ) {}

  @Query(() => [SupportRuntimeEndpoint], { description: 'The endpoints of bot runtimes and their states.' })
  async supportRuntimeEndpoints(@Ctx() context: OperationContext): Promise<readonly RuntimeEndpoint[]> {
    return context.read('READ', ['supportRuntimeEndpoints'], ({ organizationId }) =>
      this.stores.endpoints.listByOrganization(organizationId),
    );
  }

  @Mutation(() => RegisterSupportRuntimeEndpointPayload, {
    description: 'Registers an endpoint and returns its secret. Nothing is pushed before enableSupportRuntimeEndpoint.',
  })
  registerSupportRuntimeEndpoint(
    @Arg('input', () => RegisterSupportRuntimeEndpointInput) input: RegisterSupportRuntimeEndpointInput,
    @Ctx() context: OperationContext,
  ): Promise<RegisterSupportRuntimeEndpointPayload> {
    return runMutation(context, 'SET_UP', {}, scope =>
      this.flows.registerEndpoint(scope, { url: input.url, chatbotId: input.chatbotId ?? null }),
    );
  }

  @Mutation(() => EnableSupportRuntimeEndpointPayload, {
    description:
      'Verifies the endpoint with a challenge, then pushes all pending deliveries immediately. Also call it for a disabled endpoint, or for one that waits for its next attempt.',
  })
  enableSupportRuntimeEndpoint(
    @Arg('input', () => EnableSupportRuntimeEndpointInput) { endpointId }: EnableSupportRuntimeEndpointInput,
    @Ctx() context: OperationContext,
  ): Promise<EnableSupportRuntimeEndpointPayload> {
    return runMutation(context, 'SET_UP', {}, async scope => ({
      endpoint: await this.flows.enableEndpoint(scope, endpointId),
    }));
  }

  @Mutation(() => DisableSupportRuntimeEndpointPayload, {
    description: 'Stops pushing; deliveries wait in the runtime inbox.',
  })
  disableSupportRuntimeEndpoint(
    @Arg('input', () => DisableSupportRuntimeEndpointInput) { endpointId }: DisableSupportRuntimeEndpointInput,
    @Ctx() context: OperationContext,
  ): Promise<DisableSupportRuntimeEndpointPayload> {
    return runMutation(context, 'SET_UP', {}, async scope => ({
      endpoint: await this.flows.disableEndpoint(scope, endpointId),
    }));
  }

  @Mutation(() => RotateSupportRuntimeEndpointSecretPayload, {
    description: 'Creates a new secret; for a while the old one also signs.',
  })
  rotateSupportRuntimeEndpointSecret(
    @Arg('input', () => RotateSupportRuntimeEndpointSecretInput) input: RotateSupportRuntimeEndpointSecretInput,
    @Ctx() context: OperationContext,
  ): Promise<RotateSupportRuntimeEndpointSecretPayload> {
    return runMutation(context, 'SET_UP', {}, scope =>
      this.flows.rotateEndpointSecret(scope, {
        endpointId: input.endpointId,
        previousValidSeconds: input.previousValidSeconds ?? null,
      }),
    );
  }

  @Mutation(() => RemoveSupportRuntimeEndpointPayload, {
    description:
      "Removes the endpoint. Pending deliveries go to the organization's other endpoint, or stay in the runtime inbox.",
  })
  removeSupportRuntimeEndpoint(
    @Arg('input', () => RemoveSupportRuntimeEndpointInput) { endpointId }: RemoveSupportRuntimeEndpointInput,
    @Ctx() context: OperationContext,
  ): Promise<RemoveSupportRuntimeEndpointPayload> {
    return runMutation(context, 'SET_UP', {}, async scope => {
      await this.flows.removeEndpoint(scope, endpointId);
      return { removedId: endpointId };
    });
  }
}

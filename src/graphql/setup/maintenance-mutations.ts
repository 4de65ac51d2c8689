import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import { OperationContext } from '../operation/context';
import { DisableChatbotSupportPayload, DisableSupportPayload, RepairSupportDriftPayload } from '../shared/payloads';
import { DisableChatbotSupportInput, DisableSupportInput, RepairSupportDriftInput } from './inputs';
import { runMutation } from '../shared/run-mutation';

const DISABLE_NOTE =
  'Nothing changes at the provider; enabling support again finds the same account, inboxes and conversations.';

@Resolver()
export class MaintenanceMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => RepairSupportDriftPayload, {
    description:
      'Corrects the chosen items of supportDrift. Touches nothing that this service did not create. Repeatable.',
  })
  repairSupportDrift(
    @Arg('input', () => RepairSupportDriftInput) input: RepairSupportDriftInput,
    @Ctx() context: OperationContext,
  ): Promise<RepairSupportDriftPayload> {
    return runMutation(context, 'SET_UP', { items: [] }, scope =>
      this.flows.repairDrift(scope, input.accountId, input.items),
    );
  }

  @Mutation(() => DisableSupportPayload, {
    description: `Disables support for the organization: messages are no longer mirrored, and live handoffs end with OPERATOR_ENDED. ${DISABLE_NOTE}`,
  })
  disableSupport(
    @Arg('input', () => DisableSupportInput) input: DisableSupportInput,
    @Ctx() context: OperationContext,
  ): Promise<DisableSupportPayload> {
    return runMutation(context, 'SET_UP', { endedHandoffs: 0 }, scope =>
      this.flows.disableSupport(scope, input.accountId ?? null),
    );
  }

  @Mutation(() => DisableChatbotSupportPayload, {
    description: `Disables support for one chatbot in the same way. ${DISABLE_NOTE}`,
  })
  disableChatbotSupport(
    @Arg('input', () => DisableChatbotSupportInput) input: DisableChatbotSupportInput,
    @Ctx() context: OperationContext,
  ): Promise<DisableChatbotSupportPayload> {
    return runMutation(context, 'SET_UP', { endedHandoffs: 0 }, scope =>
      this.flows.disableChatbot(scope, input.chatbotId),
    );
  }
}

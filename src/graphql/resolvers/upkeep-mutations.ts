import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import { OperationContext } from '../context';
import { DisableChatbotSupportPayload, DisableSupportPayload, RepairSupportDriftPayload } from '../types/payloads';
import { DisableChatbotSupportInput, DisableSupportInput, RepairSupportDriftInput } from '../types/setup-inputs';
import { answer } from './answer';

const WHAT_STAYS = 'At the provider nothing is changed; enabling again finds the same account, inboxes and conversations.';

@Resolver()
export class UpkeepMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => RepairSupportDriftPayload, { description: 'Brings chosen items of supportDrift to what they should be. Nothing that somebody else made is touched. Repeatable.' })
  repairSupportDrift(@Arg('input', () => RepairSupportDriftInput) input: RepairSupportDriftInput, @Ctx() context: OperationContext): Promise<RepairSupportDriftPayload> {
    return answer(context, 'SET_UP', { items: [] }, (scope) => this.flows.repairDrift(scope, input.accountId, input.items));
  }

  @Mutation(() => DisableSupportPayload, { description: `Switches support off for the organization: nothing is mirrored any more, live handoffs end with OPERATOR_ENDED. ${WHAT_STAYS}` })
  disableSupport(@Arg('input', () => DisableSupportInput) input: DisableSupportInput, @Ctx() context: OperationContext): Promise<DisableSupportPayload> {
    return answer(context, 'SET_UP', { endedHandoffs: 0 }, (scope) => this.flows.disableSupport(scope, input.accountId ?? null));
  }

  @Mutation(() => DisableChatbotSupportPayload, { description: `Switches support off for one chatbot, likewise. ${WHAT_STAYS}` })
  disableChatbotSupport(@Arg('input', () => DisableChatbotSupportInput) input: DisableChatbotSupportInput, @Ctx() context: OperationContext): Promise<DisableChatbotSupportPayload> {
    return answer(context, 'SET_UP', { endedHandoffs: 0 }, (scope) => this.flows.disableChatbot(scope, input.chatbotId));
  }
}

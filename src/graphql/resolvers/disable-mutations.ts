import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import { OperationContext } from '../context';
import { DisableChatbotSupportPayload, DisableSupportPayload } from '../types/payloads';
import { DisableChatbotSupportInput, DisableSupportInput } from '../types/setup-inputs';
import { answer } from './answer';

const WHAT_STAYS = 'At the provider nothing is changed; enabling again finds the same account, inboxes and conversations.';

@Resolver()
export class DisableMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => DisableSupportPayload, { description: `Switches support off for the organization: nothing is mirrored any more, live handoffs end with OPERATOR_ENDED. ${WHAT_STAYS}` })
  disableSupport(@Arg('input', () => DisableSupportInput) input: DisableSupportInput, @Ctx() context: OperationContext): Promise<DisableSupportPayload> {
    return answer(context, 'SET_UP', { endedHandoffs: 0 }, (scope) => this.flows.disableSupport(scope, input.accountId ?? null));
  }

  @Mutation(() => DisableChatbotSupportPayload, { description: `Switches support off for one chatbot, likewise. ${WHAT_STAYS}` })
  disableChatbotSupport(@Arg('input', () => DisableChatbotSupportInput) input: DisableChatbotSupportInput, @Ctx() context: OperationContext): Promise<DisableChatbotSupportPayload> {
    return answer(context, 'SET_UP', { endedHandoffs: 0 }, (scope) => this.flows.disableChatbot(scope, input.chatbotId));
  }
}

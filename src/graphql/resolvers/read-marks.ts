import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import { OperationContext } from '../context';
import { MarkSupportMessagesReadInput, MarkSupportMessagesReadPayload } from '../types/read-marks';
import { answer } from './answer';

@Resolver()
export class ReadMarkMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => MarkSupportMessagesReadPayload, { description: 'Marks all messages up to the given one as read by the end-user; agents see it. For a single message use reportChannelDelivery.' })
  markSupportMessagesRead(@Arg('input', () => MarkSupportMessagesReadInput) input: MarkSupportMessagesReadInput, @Ctx() context: OperationContext): Promise<MarkSupportMessagesReadPayload> {
    return answer(context, 'RUNTIME', { marked: 0, replayed: false }, async (scope) => this.flows.markRead(scope, {
      sessionId: input.sessionId, throughMessageId: input.throughMessageId, idempotencyKey: input.idempotencyKey,
    }));
  }
}

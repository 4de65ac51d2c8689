import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import { OperationContext } from '../operation/context';
import { MarkSupportMessagesReadInput, MarkSupportMessagesReadPayload } from './read-mark-types';
import { runMutation } from '../shared/run-mutation';

@Resolver()
export class ReadMarkMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => MarkSupportMessagesReadPayload, {
    description:
      'Marks all messages up to the given one as read by the end-user; agents see it. For a single message use reportChannelDelivery.',
  })
  markSupportMessagesRead(
    @Arg('input', () => MarkSupportMessagesReadInput) input: MarkSupportMessagesReadInput,
    @Ctx() context: OperationContext,
  ): Promise<MarkSupportMessagesReadPayload> {
    return runMutation(context, 'RUNTIME', { markedCount: 0, replayed: false }, async scope =>
      this.flows.markRead(scope, {
        sessionId: input.sessionId,
        throughMessageId: input.throughMessageId,
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }
}

import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Flows, MessageNamed } from '../../core/flows/api';
import { OperationContext } from '../context';
import {
  DeleteSupportMessageInput, DeleteSupportMessagePayload, EditSupportMessageInput, EditSupportMessagePayload, ReactToSupportMessageInput, ReactToSupportMessagePayload,
} from '../types/message-change';
import { answer } from './answer';
import { contentOf } from './content-input';

const nameOf = ({ messageId, callerMessageId }: { readonly messageId?: string | null; readonly callerMessageId?: string | null }): MessageNamed =>
  ({ messageId: messageId ?? null, callerMessageId: callerMessageId ?? null });

@Resolver()
export class MessageChangeMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => EditSupportMessagePayload, { description: 'The end-user, or the bot, said one of their own messages anew. Agents see the new words answer the old ones.' })
  editSupportMessage(@Arg('input', () => EditSupportMessageInput) input: EditSupportMessageInput, @Ctx() context: OperationContext): Promise<EditSupportMessagePayload> {
    return answer(context, 'RUNTIME', { replayed: false }, async (scope) => this.flows.editMessage(scope, {
      sessionId: input.sessionId, ...nameOf(input), text: input.text, ...contentOf(input.content), epoch: input.epoch ?? null, idempotencyKey: input.idempotencyKey,
    }));
  }

  @Mutation(() => DeleteSupportMessagePayload, { description: 'The end-user, or the bot, took one of their own messages back. Agents see that, and no longer the words.' })
  deleteSupportMessage(@Arg('input', () => DeleteSupportMessageInput) input: DeleteSupportMessageInput, @Ctx() context: OperationContext): Promise<DeleteSupportMessagePayload> {
    return answer(context, 'RUNTIME', { alreadyDeleted: false, replayed: false }, async (scope) => this.flows.deleteMessage(scope, {
      sessionId: input.sessionId, ...nameOf(input), epoch: input.epoch ?? null, idempotencyKey: input.idempotencyKey,
    }));
  }

  @Mutation(() => ReactToSupportMessagePayload, { description: 'The end-user, or the bot, reacted to a message. Agents see each change once.' })
  reactToSupportMessage(@Arg('input', () => ReactToSupportMessageInput) input: ReactToSupportMessageInput, @Ctx() context: OperationContext): Promise<ReactToSupportMessagePayload> {
    return answer(context, 'RUNTIME', { replayed: false }, async (scope) => this.flows.reactToMessage(scope, {
      sessionId: input.sessionId, ...nameOf(input), by: input.by, emoji: input.emoji ?? null, epoch: input.epoch ?? null, idempotencyKey: input.idempotencyKey,
    }));
  }
}

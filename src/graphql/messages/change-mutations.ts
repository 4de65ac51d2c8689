import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import type { MessageReference } from '../../core/flows/api/messages';
import { OperationContext } from '../operation/context';
import {
  DeleteSupportMessageInput,
  DeleteSupportMessagePayload,
  EditSupportMessageInput,
  EditSupportMessagePayload,
  ReactToSupportMessageInput,
  ReactToSupportMessagePayload,
} from './change-types';
import { runMutation } from '../shared/run-mutation';
import { contentOf } from './parse-content';

const messageReferenceOf = ({
  messageId,
  callerMessageId,
}: {
  readonly messageId?: string | null;
  readonly callerMessageId?: string | null;
}): MessageReference => ({ messageId: messageId ?? null, callerMessageId: callerMessageId ?? null });

@Resolver()
export class MessageChangeMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => EditSupportMessagePayload, {
    description:
      'Replaces the text and content of a message of the end-user or the bot. Agents see the new text as a reply to the old one.',
  })
  editSupportMessage(
    @Arg('input', () => EditSupportMessageInput) input: EditSupportMessageInput,
    @Ctx() context: OperationContext,
  ): Promise<EditSupportMessagePayload> {
    return runMutation(context, 'RUNTIME', { replayed: false }, async scope =>
      this.flows.editMessage(scope, {
        sessionId: input.sessionId,
        ...messageReferenceOf(input),
        text: input.text,
        ...contentOf(input.content),
        epoch: input.epoch ?? null,
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }

  @Mutation(() => DeleteSupportMessagePayload, {
    description:
      'Deletes a message of the end-user or the bot. Agents see that it was deleted, and no longer its text.',
  })
  deleteSupportMessage(
    @Arg('input', () => DeleteSupportMessageInput) input: DeleteSupportMessageInput,
    @Ctx() context: OperationContext,
  ): Promise<DeleteSupportMessagePayload> {
    return runMutation(context, 'RUNTIME', { alreadyDeleted: false, replayed: false }, async scope =>
      this.flows.deleteMessage(scope, {
        sessionId: input.sessionId,
        ...messageReferenceOf(input),
        epoch: input.epoch ?? null,
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }

  @Mutation(() => ReactToSupportMessagePayload, {
    description: 'Sets or removes a reaction of the end-user or the bot to a message. Agents see each change once.',
  })
  reactToSupportMessage(
    @Arg('input', () => ReactToSupportMessageInput) input: ReactToSupportMessageInput,
    @Ctx() context: OperationContext,
  ): Promise<ReactToSupportMessagePayload> {
    return runMutation(context, 'RUNTIME', { replayed: false }, async scope =>
      this.flows.reactToMessage(scope, {
        sessionId: input.sessionId,
        ...messageReferenceOf(input),
        by: input.by,
        emoji: input.emoji ?? null,
        epoch: input.epoch ?? null,
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }
}

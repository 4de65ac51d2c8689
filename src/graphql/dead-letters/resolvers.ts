import { Arg, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { DeadLetter } from '../../core/delivery';
import type { Flows } from '../../core/flows/api';
import type { HandoffRecord } from '../../core/handoff';
import type { MessageRecord } from '../../core/message';
import type { DeadLetterFilter } from '../../core/ports/dead-letter-store';
import type { Stores } from '../../core/ports/stores';
import type { SessionRecord } from '../../core/session';
import { OperationContext } from '../operation/context';
import { Cost } from '../cost/list-size';
import {
  DiscardSupportDeadLettersInput,
  DiscardSupportDeadLettersPayload,
  ResendSupportDeadLettersInput,
  ResendSupportDeadLettersPayload,
  SupportDeadLetter,
  SupportDeadLetterConnection,
  SupportDeadLetterFilterInput,
} from './types';
import { SupportDeadLetterState } from '../shared/enums';
import { Handoff } from '../handoffs/types';
import { DateTime } from '../shared/scalars';
import { SupportMessage, SupportSession } from '../sessions/types';
import { runMutation } from '../shared/run-mutation';
import { toConnection, parseInstant, pageRequest } from '../shared/parse-input';

const nullable = { nullable: true } as const;

function filterOf(given: SupportDeadLetterFilterInput | null | undefined): DeadLetterFilter {
  const { accountId, chatbotId, sessionId, destination, kind, code, outcome, parkedBefore, parkedAfter } = given ?? {};
  return {
    accountId: accountId ?? null,
    chatbotId: chatbotId ?? null,
    sessionId: sessionId ?? null,
    destination: destination ?? null,
    kind: kind ?? null,
    code: code ?? null,
    outcome: outcome ?? null,
    parkedBefore: parseInstant(parkedBefore),
    parkedAfter: parseInstant(parkedAfter),
  };
}

@Resolver()
export class DeadLetters {
  constructor(
    private readonly flows: Flows,
    private readonly stores: Stores,
  ) {}

  @Query(() => SupportDeadLetterConnection, {
    description:
      'Deliveries that failed for good and wait for an operator, or that an operator discarded; oldest first.',
  })
  async supportDeadLetters(
    @Arg('filter', () => SupportDeadLetterFilterInput, nullable) given: SupportDeadLetterFilterInput | null,
    @Arg('state', () => SupportDeadLetterState, { defaultValue: 'PARKED' }) state: DeadLetter['state'],
    @Arg('first', () => Int, nullable) first: number | null,
    @Arg('after', () => String, nullable) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<object> {
    const request = pageRequest(first, after);
    const filter = filterOf(given);
    const page = await context.read('OPERATE', ['supportDeadLetters', state, filter, request], ({ organizationId }) =>
      this.stores.deadLetters.page(organizationId, state, filter, request),
    );
    const count = () =>
      context.read('OPERATE', ['supportDeadLetters', 'count', state, filter], ({ organizationId }) =>
        this.stores.deadLetters.count(organizationId, state, filter),
      );
    return { ...toConnection(page, request, letter => letter), count };
  }

  @Mutation(() => ResendSupportDeadLettersPayload, {
    description:
      'Resends dead letters, in order within each session. At most 500 in one call. Repeatable: deliveries that are pending or done by now are skipped.',
  })
  resendSupportDeadLetters(
    @Arg('input', () => ResendSupportDeadLettersInput) input: ResendSupportDeadLettersInput,
    @Ctx() context: OperationContext,
  ): Promise<ResendSupportDeadLettersPayload> {
    return runMutation(context, 'OPERATE', EMPTY_RESULT, scope =>
      this.flows.resendDeadLetters(
        scope,
        {
          ids: input.ids ?? null,
          filter: input.filter == null ? null : filterOf(input.filter),
          all: input.all,
          after: input.after ?? null,
          skipLookup: input.skipLookup,
        },
        context.caller!.userId,
      ),
    );
  }

  @Mutation(() => DiscardSupportDeadLettersPayload, {
    description:
      'Discards dead letters for good; they stay listed as DISCARDED with the reason. At most 500 in one call. Repeatable.',
  })
  discardSupportDeadLetters(
    @Arg('input', () => DiscardSupportDeadLettersInput) input: DiscardSupportDeadLettersInput,
    @Ctx() context: OperationContext,
  ): Promise<DiscardSupportDeadLettersPayload> {
    return runMutation(context, 'OPERATE', EMPTY_RESULT, scope =>
      this.flows.discardDeadLetters(
        scope,
        {
          ids: input.ids ?? null,
          filter: input.filter == null ? null : filterOf(input.filter),
          all: false,
          after: input.after ?? null,
        },
        input.reason,
        context.caller!.userId,
      ),
    );
  }
}

const EMPTY_RESULT = { count: 0, skippedIds: [], hasMore: false, endCursor: null };

@Resolver(() => SupportDeadLetterConnection)
export class SupportDeadLetterConnectionFields {
  @Cost(20)
  @FieldResolver(() => Int, { description: 'The number on all pages together.' })
  totalCount(@Root() { count }: { count(): Promise<number> }): Promise<number> {
    return count();
  }
}

@Resolver(() => SupportDeadLetter)
export class SupportDeadLetterFields {
  @FieldResolver(() => SupportSession)
  session(@Root() { sessionId }: DeadLetter, @Ctx() context: OperationContext): Promise<SessionRecord | null> {
    return context.loaders.session.load(sessionId);
  }

  @FieldResolver(() => Handoff, { ...nullable, description: 'The handoff to which it belongs.' })
  async handoff(@Root() { handoffId }: DeadLetter, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    return handoffId === null ? null : context.loaders.handoff.load(handoffId);
  }

  @FieldResolver(() => SupportMessage, { ...nullable, description: 'The message that it concerns.' })
  async message(@Root() { messageId }: DeadLetter, @Ctx() context: OperationContext): Promise<MessageRecord | null> {
    return messageId === null ? null : context.loaders.message.load(messageId);
  }

  @FieldResolver(() => DateTime, nullable)
  discardedAt(@Root() { discarded }: DeadLetter): string | null {
    return discarded?.at ?? null;
  }

  @FieldResolver(() => String, nullable)
  discardReason(@Root() { discarded }: DeadLetter): string | null {
    return discarded?.reason ?? null;
  }
}

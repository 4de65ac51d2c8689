import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { InvalidInputError } from '../../core/errors';
import type { Flows } from '../../core/flows/api';
import { OperationContext } from '../operation/context';
import {
  AcknowledgeRuntimeDeliveriesPayload,
  AcknowledgeRuntimeDeliveriesThroughPayload,
  AnswerSurveyPayload,
  ReportChannelDeliveryPayload,
  CancelHandoffPayload,
  CloseSupportSessionPayload,
  EndHandoffPayload,
  OpenSupportSessionPayload,
  RecordEndUserMessagePayload,
  RequestHandoffPayload,
  SendBotMessagePayload,
} from '../shared/payloads';
import {
  AcknowledgeRuntimeDeliveriesInput,
  AcknowledgeRuntimeDeliveriesThroughInput,
  AnswerSurveyInput,
  ReportChannelDeliveryInput,
  CancelHandoffInput,
  CloseSupportSessionInput,
  EndHandoffInput,
  OpenSupportSessionInput,
  RecordEndUserMessageInput,
  RequestHandoffInput,
  SendBotMessageInput,
} from './inputs';
import { runMutation } from '../shared/run-mutation';
import { contentOf } from '../messages/parse-content';
import { attachmentsOf, endUserOf, saidAtOf, parseTexts } from '../shared/parse-input';

const MAX_ACKNOWLEDGED = 500;

@Resolver()
export class RuntimeMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => OpenSupportSessionPayload, {
    description: "Finds the session by the runtime's own id, or opens it. Safe to call at every start.",
  })
  openSupportSession(
    @Arg('input', () => OpenSupportSessionInput) input: OpenSupportSessionInput,
    @Ctx() context: OperationContext,
  ): Promise<OpenSupportSessionPayload> {
    return runMutation(context, 'RUNTIME', { created: false }, async scope =>
      this.flows.openSession(scope, {
        chatbotId: input.chatbotId,
        channel: input.channel,
        externalId: input.externalId,
        endUser: endUserOf(input.endUser),
      }),
    );
  }

  @Mutation(() => RecordEndUserMessagePayload, {
    description: 'Records a message of the end-user. Call it for each one; the result says whether the bot may reply.',
  })
  recordEndUserMessage(
    @Arg('input', () => RecordEndUserMessageInput) input: RecordEndUserMessageInput,
    @Ctx() context: OperationContext,
  ): Promise<RecordEndUserMessagePayload> {
    return runMutation(context, 'RUNTIME', { mayReply: false, replayed: false }, async scope =>
      this.flows.recordEndUserMessage(scope, {
        sessionId: input.sessionId,
        text: input.text,
        ...contentOf(input.content),
        attachments: attachmentsOf(input.attachments),
        messageId: input.messageId ?? null,
        replyTo: input.replyTo ?? null,
        ...saidAtOf(input.saidAt),
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }

  @Mutation(() => SendBotMessagePayload, {
    description: 'Records a bot message. Show it to the end-user only if `delivered` is true.',
  })
  sendBotMessage(
    @Arg('input', () => SendBotMessageInput) input: SendBotMessageInput,
    @Ctx() context: OperationContext,
  ): Promise<SendBotMessagePayload> {
    return runMutation(context, 'RUNTIME', { delivered: false, replayed: false }, async scope =>
      this.flows.sendBotMessage(scope, {
        sessionId: input.sessionId,
        epoch: input.epoch,
        text: input.text,
        ...contentOf(input.content),
        attachments: attachmentsOf(input.attachments),
        messageId: input.messageId ?? null,
        replyTo: input.replyTo ?? null,
        ...saidAtOf(input.saidAt),
        onControlLost: input.onControlLost,
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }

  @Mutation(() => RequestHandoffPayload, {
    description: 'Requests a human agent. Returns immediately; progress follows as runtime deliveries.',
  })
  requestHandoff(
    @Arg('input', () => RequestHandoffInput) input: RequestHandoffInput,
    @Ctx() context: OperationContext,
  ): Promise<RequestHandoffPayload> {
    return runMutation(context, 'RUNTIME', { alreadyLive: false, replayed: false }, async scope =>
      this.flows.requestHandoff(scope, {
        sessionId: input.sessionId,
        target: { team: input.target?.team ?? null, agent: input.target?.agent ?? null },
        reason: input.reason ?? null,
        summary: input.summary ?? null,
        intent: input.intent ?? null,
        fields: parseTexts(input.fields, 'fields'),
        ...(input.links?.length ? { links: input.links.map(({ label, url }) => ({ label, url })) } : {}),
        priority: input.priority ?? null,
        resumeTarget: input.resumeTarget ?? null,
        epoch: input.epoch ?? null,
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }

  @Mutation(() => CancelHandoffPayload, {
    description: "Cancels a handoff at the runtime's request, at any time before its end.",
  })
  cancelHandoff(
    @Arg('input', () => CancelHandoffInput) input: CancelHandoffInput,
    @Ctx() context: OperationContext,
  ): Promise<CancelHandoffPayload> {
    return runMutation(context, 'RUNTIME', { alreadyEnded: false, replayed: false }, async scope =>
      this.flows.endHandoff(scope, {
        handoffId: input.handoffId ?? null,
        sessionId: input.sessionId ?? null,
        reason: input.reason,
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }

  @Mutation(() => EndHandoffPayload, { description: "Ends a handoff at an operator's request." })
  endHandoff(
    @Arg('input', () => EndHandoffInput) input: EndHandoffInput,
    @Ctx() context: OperationContext,
  ): Promise<EndHandoffPayload> {
    return runMutation(context, 'OPERATE', { alreadyEnded: false, replayed: false }, async scope =>
      this.flows.endHandoff(scope, {
        handoffId: input.handoffId ?? null,
        sessionId: input.sessionId ?? null,
        reason: 'OPERATOR_ENDED',
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }

  @Mutation(() => CloseSupportSessionPayload, { description: 'Closes the session and ends its live handoff.' })
  closeSupportSession(
    @Arg('input', () => CloseSupportSessionInput) input: CloseSupportSessionInput,
    @Ctx() context: OperationContext,
  ): Promise<CloseSupportSessionPayload> {
    return runMutation(context, 'RUNTIME', { alreadyClosed: false, replayed: false }, async scope =>
      this.flows.closeSession(scope, { sessionId: input.sessionId, idempotencyKey: input.idempotencyKey }),
    );
  }

  @Mutation(() => ReportChannelDeliveryPayload, {
    description: "Reports the state of a message on the end-user's channel; agents see it.",
  })
  reportChannelDelivery(
    @Arg('input', () => ReportChannelDeliveryInput) input: ReportChannelDeliveryInput,
    @Ctx() context: OperationContext,
  ): Promise<ReportChannelDeliveryPayload> {
    return runMutation(context, 'RUNTIME', { replayed: false }, async scope =>
      this.flows.reportChannelDelivery(scope, {
        sessionId: input.sessionId,
        messageId: input.messageId,
        state: input.state,
        error: input.error ?? null,
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }

  @Mutation(() => AnswerSurveyPayload, { description: "Records the end-user's answer to `handoff.survey`." })
  answerSurvey(
    @Arg('input', () => AnswerSurveyInput) input: AnswerSurveyInput,
    @Ctx() context: OperationContext,
  ): Promise<AnswerSurveyPayload> {
    return runMutation(context, 'RUNTIME', { replayed: false }, async scope =>
      this.flows.answerSurvey(scope, {
        handoffId: input.handoffId,
        rating: input.rating,
        comment: input.comment ?? null,
        idempotencyKey: input.idempotencyKey,
      }),
    );
  }

  @Mutation(() => AcknowledgeRuntimeDeliveriesPayload, {
    description: 'Acknowledges deliveries that the runtime has stored. Repeatable.',
  })
  acknowledgeRuntimeDeliveries(
    @Arg('input', () => AcknowledgeRuntimeDeliveriesInput) { ids }: AcknowledgeRuntimeDeliveriesInput,
    @Ctx() context: OperationContext,
  ): Promise<AcknowledgeRuntimeDeliveriesPayload> {
    return runMutation(context, 'RUNTIME', { acknowledged: [], unknown: [] }, async scope => {
      if (ids.length > MAX_ACKNOWLEDGED)
        throw new InvalidInputError(
          'INPUT_INVALID',
          'ids',
          `${ids.length} ids were given; give at most ${MAX_ACKNOWLEDGED} at once.`,
        );
      return this.flows.acknowledge(scope, ids);
    });
  }

  @Mutation(() => AcknowledgeRuntimeDeliveriesThroughPayload, {
    description: 'Acknowledges all deliveries of a list up to and including the cursor. Repeatable.',
  })
  acknowledgeRuntimeDeliveriesThrough(
    @Arg('input', () => AcknowledgeRuntimeDeliveriesThroughInput) input: AcknowledgeRuntimeDeliveriesThroughInput,
    @Ctx() context: OperationContext,
  ): Promise<AcknowledgeRuntimeDeliveriesThroughPayload> {
    return runMutation(context, 'RUNTIME', { acknowledged: 0 }, scope =>
      this.flows.acknowledgeThrough(scope, {
        cursor: input.cursor,
        chatbotId: input.chatbotId ?? null,
        sessionId: input.sessionId ?? null,
      }),
    );
  }
}

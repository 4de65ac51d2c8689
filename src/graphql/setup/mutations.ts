import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { InvalidInputError } from '../../core/errors';
import type { Flows } from '../../core/flows/api';
import { OperationContext } from '../operation/context';
import {
  EnableChatbotSupportPayload,
  EnableSupportPayload,
  LinkSupportAgentPayload,
  RefreshSupportDirectoryPayload,
  RotateSupportWebhookSecretPayload,
  UpdateSupportPolicyPayload,
} from '../shared/payloads';
import {
  EnableChatbotSupportInput,
  EnableSupportInput,
  LinkSupportAgentInput,
  RefreshSupportDirectoryInput,
  RotateSupportWebhookSecretInput,
  UpdateSupportPolicyInput,
} from './inputs';
import { runMutation } from '../shared/run-mutation';
import { parseObject, policyOf, parseTexts } from '../shared/parse-input';

@Resolver()
export class SetupMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => EnableSupportPayload, {
    description:
      "Sets up the organization's account at a provider. Takes seconds; calling it again continues where it stopped.",
  })
  enableSupport(
    @Arg('input', () => EnableSupportInput) input: EnableSupportInput,
    @Ctx() context: OperationContext,
  ): Promise<EnableSupportPayload> {
    return runMutation(context, 'SET_UP', { manualSteps: [] }, async scope =>
      this.flows.enableSupport(scope, {
        provider: input.provider,
        name: input.name,
        baseUrl: input.baseUrl ?? null,
        settings: parseObject(input.settings, 'settings'),
        credentials: parseTexts(input.credentials, 'credentials'),
        owners: (input.owners ?? []).map(({ name, email }) => ({ name, email })),
      }),
    );
  }

  @Mutation(() => EnableChatbotSupportPayload, {
    description: 'Creates the inbox of a chatbot. Repeatable; another name renames the inbox.',
  })
  enableChatbotSupport(
    @Arg('input', () => EnableChatbotSupportInput) input: EnableChatbotSupportInput,
    @Ctx() context: OperationContext,
  ): Promise<EnableChatbotSupportPayload> {
    return runMutation(context, 'SET_UP', {}, async scope =>
      this.flows.enableChatbot(scope, {
        chatbotId: input.chatbotId,
        name: input.name,
        accountId: input.accountId ?? null,
        policy: policyOf(input.policy),
      }),
    );
  }

  @Mutation(() => UpdateSupportPolicyPayload, { description: 'Changes the handoff policy of a chatbot.' })
  updateSupportPolicy(
    @Arg('input', () => UpdateSupportPolicyInput) input: UpdateSupportPolicyInput,
    @Ctx() context: OperationContext,
  ): Promise<UpdateSupportPolicyPayload> {
    return runMutation(context, 'SET_UP', {}, async scope => ({
      inbox: await this.flows.updatePolicy(scope, input.chatbotId, policyOf(input.policy)),
    }));
  }

  @Mutation(() => RefreshSupportDirectoryPayload, { description: 'Reads teams and agents from the provider again.' })
  refreshSupportDirectory(
    @Arg('input', () => RefreshSupportDirectoryInput) input: RefreshSupportDirectoryInput,
    @Ctx() context: OperationContext,
  ): Promise<RefreshSupportDirectoryPayload> {
    return runMutation(context, 'SET_UP', { teams: [], agents: [] }, async scope =>
      this.flows.refreshDirectory(scope, input.accountId),
    );
  }

  @Mutation(() => RotateSupportWebhookSecretPayload, {
    description:
      'Changes the secret in the URL to which the provider sends webhooks. No webhook is lost: the old secret is accepted until the provider has the new one, and for a while afterwards.',
  })
  rotateSupportWebhookSecret(
    @Arg('input', () => RotateSupportWebhookSecretInput) input: RotateSupportWebhookSecretInput,
    @Ctx() context: OperationContext,
  ): Promise<RotateSupportWebhookSecretPayload> {
    return runMutation(context, 'SET_UP', { manualSteps: [] }, async scope =>
      this.flows.rotateWebhookSecret(scope, {
        accountId: input.accountId ?? null,
        idempotencyKey: input.idempotencyKey,
        previousValidSeconds: input.previousValidSeconds ?? null,
      }),
    );
  }

  @Mutation(() => LinkSupportAgentPayload, { description: 'Links an agent to a user of the platform.' })
  linkSupportAgent(
    @Arg('input', () => LinkSupportAgentInput) input: LinkSupportAgentInput,
    @Ctx() context: OperationContext,
  ): Promise<LinkSupportAgentPayload> {
    return runMutation(context, 'SET_UP', {}, async scope => {
      const { agentId, email, userId } = input;
      if ((agentId == null) === (email == null))
        throw new InvalidInputError(
          'INPUT_INVALID',
          'agentId',
          'The agent must be given either by agentId or by email; give exactly one of the two.',
        );
      if (agentId != null) return { agent: await this.flows.linkAgent(scope, agentId, userId ?? null) };
      return { agent: (await this.flows.linkAgentByEmail(scope, email!, userId ?? null))[0] };
    });
  }
}

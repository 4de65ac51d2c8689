import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { parse } from 'graphql';
import type { SupportControl, SupportErrorCode } from '../../examples/generated/client';
import type { UserError } from '../../examples/support-client';

/** The operations of an operator or the platform's gateway. A bot runtime calls none of them. */

type State = 'PROVISIONING' | 'READY' | 'FAILED' | 'DISABLED';
interface Problem {
  readonly code: SupportErrorCode;
  readonly message: string;
}
interface Payload {
  readonly userErrors: readonly UserError[];
}
const document = <Data, Variables>(text: string) => parse(text) as TypedDocumentNode<Data, Variables>;
const USER_ERRORS = 'userErrors { code field message control epoch }';

export const EnableSupport = document<
  {
    enableSupport: Payload & {
      account: { id: string; state: State; problem: Problem | null } | null;
      manualSteps: readonly string[];
    };
  },
  { input: object }
>(`mutation EnableSupport($input: EnableSupportInput!) {
  enableSupport(input: $input) { account { id state problem { code message } } manualSteps ${USER_ERRORS} }
}`);

export const EnableChatbot = document<
  {
    enableChatbotSupport: Payload & {
      inbox: { id: string; name: string; state: State; problem: Problem | null } | null;
    };
  },
  { input: object }
>(`mutation EnableChatbot($input: EnableChatbotSupportInput!) {
  enableChatbotSupport(input: $input) { inbox { id name state problem { code message } } ${USER_ERRORS} }
}`);

export const RegisterEndpoint = document<
  { registerSupportRuntimeEndpoint: Payload & { secret: string | null; endpoint: { id: string } | null } },
  { input: { url: string; chatbotId: string } }
>(`mutation RegisterEndpoint($input: RegisterSupportRuntimeEndpointInput!) {
  registerSupportRuntimeEndpoint(input: $input) { secret endpoint { id } ${USER_ERRORS} }
}`);

export const EnableEndpoint = document<
  { enableSupportRuntimeEndpoint: Payload & { endpoint: { state: string } | null } },
  { input: { endpointId: string } }
>(`mutation EnableEndpoint($input: EnableSupportRuntimeEndpointInput!) {
  enableSupportRuntimeEndpoint(input: $input) { endpoint { state } ${USER_ERRORS} }
}`);

export const RefreshDirectory = document<
  {
    refreshSupportDirectory: Payload & {
      teams: readonly { id: string; name: string }[];
      agents: readonly { name: string; role: string }[];
    };
  },
  { input: { accountId: string } }
>(`mutation RefreshDirectory($input: RefreshSupportDirectoryInput!) {
  refreshSupportDirectory(input: $input) { teams { id name } agents { name role } ${USER_ERRORS} }
}`);

export interface Explanation {
  readonly reason: string;
  readonly mayReply: boolean;
  readonly pendingDeliveries: { readonly provider: number; readonly runtime: number; readonly parked: number };
  readonly session: { readonly control: SupportControl; readonly epoch: number };
  readonly handoff: { readonly id: string; readonly state: string } | null;
}

export const Explain = document<
  { supportExplain: Explanation | null },
  { sessionId: string }
>(`query Explain($sessionId: ID!) {
  supportExplain(sessionId: $sessionId) { reason mayReply pendingDeliveries { provider runtime parked } session { control epoch } handoff { id state } }
}`);

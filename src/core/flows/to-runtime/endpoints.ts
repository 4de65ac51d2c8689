import { ConflictError, EndpointError, InvalidInputError, NotFoundError } from '../../errors';
import { instantOf } from '../../ports/clock';
import {
  validSecretsAt,
  formatSigningSecret,
  type RuntimeEndpoint,
  type SigningEndpoint,
} from '../../runtime-endpoint';
import { createTimeLimit } from '../../time-limit';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import type { RuntimeDeps, StoreDeps } from '../deps';
import { validateId } from '../from-runtime/record-message';

const MAX_URL_LENGTH = 2_000;
/** How long the previous secret signs after a rotation, by default and at most. */
export const PREVIOUS_SECRET_SECONDS = 86_400;
const MAX_PREVIOUS_SECRET_SECONDS = 7 * 86_400;

const endpointNotFound = () =>
  new NotFoundError(
    'ENDPOINT_NOT_FOUND',
    'endpointId',
    'There is no such endpoint in this organization. Use an id from supportRuntimeEndpoints.',
  );
const requireFound = <T>(endpoint: T | null): T => {
  if (endpoint === null) throw endpointNotFound();
  return endpoint;
};

type EndpointFlows = Pick<
  Flows,
  'registerEndpoint' | 'enableEndpoint' | 'disableEndpoint' | 'rotateEndpointSecret' | 'removeEndpoint'
>;

/**
 * Verifies an endpoint. A receiver that returns the challenge of our message owns the address and wants us to use it.
 */
async function verifyEndpoint(
  deps: RuntimeDeps,
  { id, url, chatbotId, secret, previousSecrets }: SigningEndpoint,
): Promise<void> {
  const { clock, push } = deps;
  const now = () => instantOf(clock.now());

  const challenge = clock.newSecret();
  const body = JSON.stringify({
    type: 'endpoint.verification',
    timestamp: now(),
    data: { endpointId: id, chatbotId, challenge },
  });
  let answer: string;
  try {
    answer = await push.post(
      url,
      validSecretsAt({ secret, previousSecrets }, clock.now()),
      { id: `verification_${clock.newId()}`, body },
      createTimeLimit(deps.limits.pushMs),
    );
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error;
    throw new ConflictError(
      'ENDPOINT_NOT_VERIFIED',
      'endpointId',
      `${error.message} It must respond to the signed endpoint.verification message with 2xx and its challenge.`,
    );
  }
  if (challengeIn(answer) !== challenge)
    throw new ConflictError(
      'ENDPOINT_NOT_VERIFIED',
      'endpointId',
      'The response of the endpoint lacks the challenge. It must be {"challenge": "…"} with the value of data.challenge.',
    );
}

async function registerEndpoint(
  deps: RuntimeDeps,
  scope: Scope,
  { url, chatbotId }: Parameters<Flows['registerEndpoint']>[1],
) {
  const { clock, push } = deps;
  const { endpoints, setup } = deps.stores;
  const now = () => instantOf(clock.now());

  if (url.length > MAX_URL_LENGTH)
    throw new InvalidInputError(
      'ENDPOINT_URL_REFUSED',
      'url',
      `The URL has ${url.length} characters; at most ${MAX_URL_LENGTH} fit.`,
    );
  if (
    chatbotId !== null &&
    (await setup.findInboxByChatbot(scope.organizationId, validateId(chatbotId, 'chatbotId'))) === null
  )
    throw new NotFoundError(
      'CHATBOT_NOT_ENABLED',
      'chatbotId',
      'This chatbot has no support inbox. Call enableChatbotSupport for it first.',
    );
  const problem = await push.addressProblem(url);
  if (problem !== null) throw new InvalidInputError('ENDPOINT_URL_REFUSED', 'url', problem);
  const secret = formatSigningSecret(clock.newSecret());
  const endpoint = await endpoints.insert({
    id: clock.newId(),
    organizationId: scope.organizationId,
    chatbotId,
    url,
    state: 'UNVERIFIED',
    disabledReason: null,
    disabledAt: null,
    firstFailureAt: null,
    lastFailureAt: null,
    lastFailureCode: null,
    lastFailureStatus: null,
    verifiedAt: null,
    previousSecretExpiresAt: null,
    createdAt: now(),
    secret,
    previousSecrets: [],
  });
  return { endpoint, secret };
}

async function enableEndpoint(deps: RuntimeDeps, scope: Scope, id: string): Promise<RuntimeEndpoint> {
  const { clock } = deps;
  const { endpoints } = deps.stores;
  const now = () => instantOf(clock.now());

  await verifyEndpoint(deps, requireFound(await endpoints.get(scope.organizationId, id)));
  const endpoint = requireFound(await endpoints.activate(scope.organizationId, id, now()));
  await endpoints.rerouteLanes();
  return endpoint;
}

async function disableEndpoint(deps: StoreDeps, scope: Scope, id: string): Promise<RuntimeEndpoint> {
  const { clock } = deps;
  const { endpoints } = deps.stores;
  const now = () => instantOf(clock.now());

  return requireFound(await endpoints.disable(scope.organizationId, id, 'OPERATOR', now()));
}

async function rotateEndpointSecret(
  deps: StoreDeps,
  scope: Scope,
  { endpointId, previousValidSeconds }: Parameters<Flows['rotateEndpointSecret']>[1],
) {
  const { clock } = deps;
  const { endpoints } = deps.stores;

  const seconds = previousValidSeconds ?? PREVIOUS_SECRET_SECONDS;
  if (seconds < 0 || seconds > MAX_PREVIOUS_SECRET_SECONDS)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'previousValidSeconds',
      `previousValidSeconds is ${seconds}; give 0 to ${MAX_PREVIOUS_SECRET_SECONDS}.`,
    );
  const secret = formatSigningSecret(clock.newSecret());
  const endpoint = requireFound(
    await endpoints.rotateSecret(scope.organizationId, endpointId, secret, instantOf(clock.now() + seconds * 1_000)),
  );
  return { endpoint, secret };
}

async function removeEndpoint(deps: StoreDeps, scope: Scope, id: string): Promise<void> {
  const { endpoints } = deps.stores;

  if (!(await endpoints.remove(scope.organizationId, id))) throw endpointNotFound();
  await endpoints.rerouteLanes();
}

/** An operator's mutations of runtime endpoints. */
export function runtimeEndpointFlows(deps: RuntimeDeps): EndpointFlows {
  return {
    registerEndpoint: (scope, input) => registerEndpoint(deps, scope, input),
    enableEndpoint: (scope, id) => enableEndpoint(deps, scope, id),
    disableEndpoint: (scope, id) => disableEndpoint(deps, scope, id),
    rotateEndpointSecret: (scope, input) => rotateEndpointSecret(deps, scope, input),
    removeEndpoint: (scope, id) => removeEndpoint(deps, scope, id),
  };
}

function challengeIn(answer: string): unknown {
  try {
    return (JSON.parse(answer) as { readonly challenge?: unknown } | null)?.challenge;
  } catch {
    return undefined;
  }
}

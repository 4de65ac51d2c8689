import type { PushedDelivery } from '../../delivery';
import { EndpointNotActiveError, type EndpointError } from '../../errors';
import { instantOf } from '../../ports/clock';
import { validSecretsAt, type RuntimeEndpoint } from '../../runtime-endpoint';
import { renderRuntimeMessage } from '../../render-runtime-message';
import type { Lease } from '../lease';
import type { StoreDeps, RuntimeDeps } from '../deps';
import { endDrainedHandoffs } from '../handoff/finish-endings';

/**
 * An endpoint that has only failed for this long counts as unreachable, and its first success makes its waiting
 * deliveries due. Below that, failures between successes concern single deliveries, which would otherwise use up their
 * attempts as fast as others succeed.
 */
const OUTAGE_AFTER_MS = 60_000;

/**
 * Pushes one delivery to the runtime's endpoint. Returns when the endpoint has it, or when the runtime has collected it
 * by itself.
 * @throws EndpointError, EndpointNotActiveError
 */
export async function pushDelivery(
  deps: RuntimeDeps,
  endpointId: string,
  delivery: PushedDelivery,
  lease: Lease,
): Promise<void> {
  const { organizationId } = delivery;
  const { endpoints, deliveries } = deps.stores;
  const endpoint = await endpoints.get(organizationId, endpointId);
  if (endpoint?.state !== 'ACTIVE')
    throw new EndpointNotActiveError(
      'The endpoint is disabled, so its deliveries stay in the inbox. Enable it to push them.',
    );
  await lease.ensureHeld();
  if (!(await deliveries.isWaiting(organizationId, delivery.id))) return;
  // Rendered last, so that a message deleted until now is pushed without its text.
  const body = await pushBody(deps, delivery);
  if (body === null) return;
  await deps.push.post(
    endpoint.url,
    validSecretsAt(endpoint, deps.clock.now()),
    { id: delivery.id, body },
    lease.signal(deps.limits.pushMs),
  );
  if (endpoint.firstFailureAt !== null)
    await endpoints.recordRecovery(organizationId, endpoint.id, instantOf(deps.clock.now() - OUTAGE_AFTER_MS));
}

async function pushBody(deps: RuntimeDeps, delivery: PushedDelivery): Promise<string | null> {
  const { sessions, messages, handoffs } = deps.stores;
  const { organizationId, sessionId, work } = delivery;
  const [session, message, handoff] = await Promise.all([
    sessions.get(organizationId, sessionId),
    'messageId' in work ? messages.get(organizationId, work.messageId) : null,
    'handoffId' in work ? handoffs.get(organizationId, work.handoffId) : null,
  ]);
  const said = session && renderRuntimeMessage({ delivery, session, message, handoff, fileUrl: deps.fileUrl });
  return said && JSON.stringify(said);
}

/** Handles a successful push, which counts as the runtime's acknowledgment. */
export const acknowledgePush = (deps: StoreDeps, { organizationId, sessionId }: PushedDelivery): Promise<void> =>
  endDrainedHandoffs(deps, organizationId, [sessionId]);

/** `endpoint`: its current state; null: it was removed. */
export interface PushFailure {
  readonly endpoint: RuntimeEndpoint | null;
  readonly isDisabled: boolean;
}

/**
 * Records a failure. Disables the endpoint if it responded that it is gone or has only failed for days
 * (`isDisabled`:
 * by this call, the only one that reports it).
 * @throws LeaseLostError if the claim is over, because its observation may be outdated
 */
export async function recordPushFailure(
  deps: StoreDeps,
  endpointId: string,
  delivery: PushedDelivery,
  { code, status }: EndpointError,
): Promise<PushFailure> {
  const { organizationId, sessionId } = delivery;
  const { endpoints, sessions } = deps.stores;
  const now = deps.clock.now();
  const at = instantOf(now);
  const endpoint = await endpoints.recordFailure(organizationId, endpointId, { at, code, status });
  if (endpoint === null || endpoint.state !== 'ACTIVE') return { endpoint, isDisabled: false };
  const { id, firstFailureAt } = endpoint;
  const hasFailedTooLong = firstFailureAt !== null && now - Date.parse(firstFailureAt) >= deps.limits.disableEndpointMs;
  if (code !== 'ENDPOINT_GONE' && !hasFailedTooLong) return { endpoint, isDisabled: false };
  const reason = code === 'ENDPOINT_GONE' ? 'GONE' : 'FAILING';
  const { result: isDisabled } = await sessions.transact(organizationId, sessionId, async tx => {
    if (!(await tx.disableEndpoint(id, reason, firstFailureAt, at))) return false;
    await tx.assertFence(delivery, 'RUNTIME');
    await tx.appendEvent(
      { type: 'RUNTIME_ENDPOINT_DISABLED', endpointId: id, reason, code },
      tx.liveHandoff?.id ?? null,
      at,
    );
    return true;
  });
  return { endpoint: await endpoints.get(organizationId, id), isDisabled };
}

import { EndpointError, EndpointNotActiveError } from '../core/errors';
import type { RuntimeDeps } from '../core/flows/deps';
import { pushDelivery, recordPushFailure, acknowledgePush } from '../core/flows/to-runtime/push';
import type { LaneHandler } from './lane-runner';
import type { WorkerLog } from './options';
import { verdictForPush } from './push-retry-policy';

/** Creates the handler of pushes to runtimes. */
export const createRuntimeHandler = (deps: RuntimeDeps, log: WorkerLog): LaneHandler<'RUNTIME'> => ({
  destination: 'RUNTIME',
  deliver: ({ remoteId, delivery }, lease) => pushDelivery(deps, remoteId, delivery, lease),

  async handleFailure({ remoteId, delivery }, error) {
    if (error instanceof EndpointNotActiveError) return { kind: 'postpone' };
    // An error of this service is no failure of the endpoint.
    const failed =
      error instanceof EndpointError ? await recordPushFailure(deps, remoteId, delivery, error) : undefined;
    const endpoint = failed?.endpoint;
    if (failed?.isDisabled && endpoint)
      log.error(
        {
          endpointId: remoteId,
          organizationId: delivery.organizationId,
          reason: endpoint.disabledReason,
          firstFailureAt: endpoint.firstFailureAt,
          code: endpoint.lastFailureCode,
        },
        'runtime endpoint disabled; its deliveries stay in the inbox',
      );
    if (endpoint === null || (endpoint !== undefined && endpoint.state !== 'ACTIVE')) return { kind: 'postpone' };
    // The delivery was collected during the push, so the deliveries after it need not wait for another attempt.
    if (!(await deps.stores.deliveries.isWaiting(delivery.organizationId, delivery.id))) return { kind: 'obsolete' };
    return verdictForPush(error, {
      previousAttempts: delivery.previousAttempts,
      firstFailureAt: endpoint?.firstFailureAt ?? null,
      now: deps.clock.now(),
      random: deps.clock.random(),
    });
  },

  handleSuccess: ({ delivery }) => acknowledgePush(deps, delivery),
});

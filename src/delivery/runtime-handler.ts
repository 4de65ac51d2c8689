import { EndpointError, EndpointNotActiveError } from '../core/errors';
import type { FlowDeps } from '../core/flows/deps';
import { pushDelivery, recordPushFailure, acknowledgePush } from '../core/flows/to-runtime/push';
import type { LaneHandler } from './lane-runner';
import type { WorkerLog } from './options';
import { verdictForPush } from './push-retry-policy';

/** Creates the handler of pushes to runtimes. */
export const createRuntimeHandler = (deps: FlowDeps, log: WorkerLog): LaneHandler<'RUNTIME'> => ({
  destination: 'RUNTIME',
  deliver: ({ farSideId, delivery }, lease) => pushDelivery(deps, farSideId, delivery, lease),

  async handleFailure({ farSideId, delivery }, error) {
    if (error instanceof EndpointNotActiveError) return { kind: 'notNow' };
    // An error of this service is no failure of the endpoint.
    const failed =
      error instanceof EndpointError ? await recordPushFailure(deps, farSideId, delivery, error) : undefined;
    const endpoint = failed?.endpoint;
    if (failed?.isDisabled && endpoint)
      log.error(
        {
          endpointId: farSideId,
          organizationId: delivery.organizationId,
          reason: endpoint.disabledReason,
          firstFailureAt: endpoint.firstFailureAt,
          code: endpoint.lastFailureCode,
        },
        'runtime endpoint disabled; its deliveries stay in the inbox',
      );
    if (endpoint === null || (endpoint !== undefined && endpoint.state !== 'ACTIVE')) return { kind: 'notNow' };
    // The delivery was collected during the push, so the deliveries after it need not wait for another attempt.
    if (!(await deps.stores.deliveries.isWaiting(delivery.organizationId, delivery.id))) return { kind: 'nothingOwed' };
    return verdictForPush(error, {
      previousAttempts: delivery.earlierAttempts,
      firstFailureAt: endpoint?.firstFailureAt ?? null,
      now: deps.clock.now(),
      random: deps.clock.random(),
    });
  },

  handleSuccess: ({ delivery }) => acknowledgePush(deps, delivery),
});

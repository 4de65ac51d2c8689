import type { Flows } from './api';
import type { FlowDeps } from './deps';
import { deliveryReportFlows } from './from-runtime/delivery-reports';
import { withCleanInput } from './clean-input';
import { deadLetterFlows } from './operate/dead-letters';
import { changeMessageFlows } from './from-runtime/change-message';
import { disableFlows } from './setup/disable';
import { endHandoffFlows } from './from-runtime/end-handoff';
import { healthFlows } from './setup/health';
import { agentAndTeamFlows } from './setup/agents-and-teams';
import { readMarkFlows } from './from-runtime/read-marks';
import { requestHandoffFlows } from './from-runtime/request-handoff';
import { runtimeEndpointFlows } from './to-runtime/endpoints';
import { recordMessageFlows } from './from-runtime/record-message';
import { sessionFlows } from './from-runtime/open-session';
import { setupFlows } from './setup/enable';
import { typingFlows } from './from-runtime/typing';
import { webhookSecretFlows } from './setup/webhook-secret';

export const createFlows = (deps: FlowDeps): Flows =>
  withCleanInput({
    ...sessionFlows(deps),
    ...recordMessageFlows(deps),
    ...requestHandoffFlows(deps),
    ...endHandoffFlows(deps),
    ...setupFlows(deps),
    ...deliveryReportFlows(deps),
    ...changeMessageFlows(deps),
    ...agentAndTeamFlows(deps),
    ...disableFlows(deps),
    ...healthFlows(deps).drift,
    ...deadLetterFlows(deps),
    ...runtimeEndpointFlows(deps),
    ...typingFlows(deps),
    ...readMarkFlows(deps),
    ...webhookSecretFlows(deps),
  });

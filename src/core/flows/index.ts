import type { Flows } from './api';
import type { FlowDeps } from './deps';
import { afterTalkFlows } from './from-runtime/delivery-reports';
import { withCleanInput } from './clean-input';
import { deadLetterFlows } from './operate/dead-letters';
import { changeMessageFlows } from './from-runtime/change-message';
import { disableFlows } from './setup/disable';
import { endHandoffFlows } from './from-runtime/end-handoff';
import { healthFlows } from './setup/health';
import { peopleFlows } from './setup/agents-and-teams';
import { readMarkFlows } from './from-runtime/read-marks';
import { requestHandoffFlow } from './from-runtime/request-handoff';
import { runtimeEndpointFlows } from './to-runtime/endpoints';
import { sayFlows } from './from-runtime/record-message';
import { sessionFlows } from './from-runtime/open-session';
import { setupFlows } from './setup/enable';
import { typingFlows } from './from-runtime/typing';
import { webhookSecretFlows } from './setup/webhook-secret';

export const createFlows = (deps: FlowDeps): Flows => withCleanInput({
  ...sessionFlows(deps), ...sayFlows(deps), ...requestHandoffFlow(deps), ...endHandoffFlows(deps), ...setupFlows(deps), ...afterTalkFlows(deps), ...changeMessageFlows(deps), ...peopleFlows(deps), ...disableFlows(deps), ...healthFlows(deps).drift, ...deadLetterFlows(deps), ...runtimeEndpointFlows(deps), ...typingFlows(deps), ...readMarkFlows(deps), ...webhookSecretFlows(deps),
});

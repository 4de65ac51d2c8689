import type { Flows } from './api';
import type { FlowDeps } from './deps';
import { afterTalkFlows } from './after-talk';
import { withCleanInput } from './clean-input';
import { deadLetterFlows } from './dead-letters';
import { changeMessageFlows } from './change-message';
import { disableFlows } from './disable';
import { endHandoffFlows } from './end-handoff';
import { healthFlows } from './health';
import { peopleFlows } from './people';
import { readMarkFlows } from './read-marks';
import { requestHandoffFlow } from './request-handoff';
import { runtimeEndpointFlows } from './runtime-endpoints';
import { sayFlows } from './say';
import { sessionFlows } from './sessions';
import { setupFlows } from './setup';
import { typingFlows } from './typing';
import { webhookSecretFlows } from './webhook-secret';

export const createFlows = (deps: FlowDeps): Flows => withCleanInput({
  ...sessionFlows(deps), ...sayFlows(deps), ...requestHandoffFlow(deps), ...endHandoffFlows(deps), ...setupFlows(deps), ...afterTalkFlows(deps), ...changeMessageFlows(deps), ...peopleFlows(deps), ...disableFlows(deps), ...healthFlows(deps).drift, ...deadLetterFlows(deps), ...runtimeEndpointFlows(deps), ...typingFlows(deps), ...readMarkFlows(deps), ...webhookSecretFlows(deps),
});

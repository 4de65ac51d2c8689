import type { Flows } from './api';
import type { FlowDeps } from './deps';
import { afterTalkFlows } from './after-talk';
import { disableFlows } from './disable';
import { endHandoffFlows } from './end-handoff';
import { healthFlows } from './health';
import { peopleFlows } from './people';
import { readMarkFlows } from './read-marks';
import { requestHandoffFlow } from './request-handoff';
import { sayFlows } from './say';
import { sessionFlows } from './sessions';
import { setupFlows } from './setup';
import { typingFlows } from './typing';

export const createFlows = (deps: FlowDeps): Flows => ({
  ...sessionFlows(deps), ...sayFlows(deps), ...requestHandoffFlow(deps), ...endHandoffFlows(deps), ...setupFlows(deps), ...afterTalkFlows(deps), ...peopleFlows(deps), ...disableFlows(deps), ...healthFlows(deps).drift, ...typingFlows(deps), ...readMarkFlows(deps),
});

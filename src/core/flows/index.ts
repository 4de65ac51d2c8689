import type { Flows } from './api';
import type { FlowDeps } from './deps';
import { endHandoffFlows } from './end-handoff';
import { requestHandoffFlow } from './request-handoff';
import { sayFlows } from './say';
import { sessionFlows } from './sessions';
import { setupFlows } from './setup';

export const createFlows = (deps: FlowDeps): Flows => ({
  ...sessionFlows(deps), ...sayFlows(deps), ...requestHandoffFlow(deps), ...endHandoffFlows(deps), ...setupFlows(deps),
});

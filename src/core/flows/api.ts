import type { SessionFlows } from './api/sessions';
import type { MessageFlows } from './api/messages';
import type { HandoffFlows } from './api/handoffs';
import type { ChannelFlows } from './api/channel';
import type { RuntimeInboxFlows, RuntimeEndpointFlows } from './api/runtime';
import type { SetupFlows, DriftFlows } from './api/setup';
import type { AgentAndTeamFlows } from './api/agents-and-teams';
import type { DeadLetterFlows } from './api/dead-letters';

/**
 * The operations that callers can request. Each returns after the commit, makes no remote call (except the setup flows
 * that say so), and throws the errors of core/errors.ts.
 */
export interface Flows
  extends SessionFlows,
    MessageFlows,
    HandoffFlows,
    ChannelFlows,
    RuntimeInboxFlows,
    RuntimeEndpointFlows,
    SetupFlows,
    DriftFlows,
    AgentAndTeamFlows,
    DeadLetterFlows {}

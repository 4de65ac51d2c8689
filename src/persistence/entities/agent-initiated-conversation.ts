import { Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { SessionRow } from './session';

/**
 * A conversation at the provider with a session's end-user that is not the session's own. Its agents were notified, or
 * are about to be.
 */
@Entity('agent_initiated_conversation')
export class AgentInitiatedConversationRow {
  @ForeignKey(() => SessionRow, { onDelete: 'CASCADE' }) @PrimaryColumn('uuid') sessionId: string;
  @PrimaryColumn('text') conversationId: string;
}

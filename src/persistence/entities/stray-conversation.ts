import { Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { SessionRow } from './session';

/** A conversation at the provider with a Session's end-user that is not the Session's own; its agents were told, or are about to be. */
@Entity('stray_conversation')
export class StrayConversationRow {
  @ForeignKey(() => SessionRow, { onDelete: 'CASCADE' }) @PrimaryColumn('uuid') sessionId: string;
  @PrimaryColumn('text') conversationId: string;
}

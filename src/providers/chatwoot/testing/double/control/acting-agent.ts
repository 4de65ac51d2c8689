import type { Reply } from '../http/replies';
import type { User } from '../model';

/** Names a conversation by the number in its address. */
export interface ConversationRef {
  accountId: number;
  conversationId: number;
}

export interface FileToAttach {
  filename: string;
  contentType?: string;
  bytes: Buffer | string;
  content?: string;
}

export type AgentAction =
  | 'reply'
  | 'note'
  | 'assignSelf'
  | 'assign'
  | 'resolve'
  | 'snooze'
  | 'reopen'
  | 'returnToPending'
  | 'deleteMessage'
  | 'attach'
  | 'type';

export const AGENT_ACTIONS: readonly AgentAction[] = [
  'reply',
  'note',
  'assignSelf',
  'assign',
  'resolve',
  'snooze',
  'reopen',
  'returnToPending',
  'deleteMessage',
  'attach',
  'type',
];

type Send = (method: string, path: string, token: string, body: unknown) => Promise<Reply>;

/**
 * An agent at the dashboard. Each action is the dashboard's call with the agent's own rights; it throws if Chatwoot
 * would refuse it. The journal does not contain these calls.
 */
export class ActingAgent {
  constructor(
    private readonly user: User,
    private readonly conversation: ConversationRef,
    private readonly send: Send,
  ) {}

  async reply(content: string, extra: Record<string, unknown> = {}): Promise<number> {
    return this.post({ content, message_type: 'outgoing', private: false, ...extra });
  }

  async note(content: string): Promise<number> {
    return this.post({ content, message_type: 'outgoing', private: true });
  }

  async attach(attached: FileToAttach): Promise<number> {
    const bytes = Buffer.from(attached.bytes);
    return this.post({
      content: attached.content ?? null,
      message_type: 'outgoing',
      attachments: [{ ...attached, bytes }],
    });
  }

  assignSelf(): Promise<unknown> {
    return this.act('POST', '/assignments', { assignee_id: this.user.id });
  }

  /** `agentId: null` or `teamId: null` clears the field. */
  assign(to: { agentId: number | null } | { teamId: number | null }): Promise<unknown> {
    return this.act('POST', '/assignments', 'agentId' in to ? { assignee_id: to.agentId } : { team_id: to.teamId });
  }

  resolve(): Promise<unknown> {
    return this.act('POST', '/toggle_status', { status: 'resolved' });
  }

  snooze(until?: Date): Promise<unknown> {
    const snoozed = until ? { snoozed_until: Math.floor(until.getTime() / 1000) } : {};
    return this.act('POST', '/toggle_status', { status: 'snoozed', ...snoozed });
  }

  reopen(): Promise<unknown> {
    return this.act('POST', '/toggle_status', { status: 'open' });
  }

  returnToPending(): Promise<unknown> {
    return this.act('POST', '/toggle_status', { status: 'pending' });
  }

  deleteMessage(messageId: number): Promise<unknown> {
    return this.act('DELETE', `/messages/${messageId}`, {});
  }

  type(on: boolean): Promise<unknown> {
    return this.act('POST', '/toggle_typing_status', { typing_status: on ? 'on' : 'off', is_private: false });
  }

  private async post(body: Record<string, unknown>): Promise<number> {
    const message = (await this.act('POST', '/messages', body)) as { id: number };
    return message.id;
  }

  private async act(method: string, path: string, body: unknown): Promise<unknown> {
    const { accountId, conversationId } = this.conversation;
    const full = `/api/v1/accounts/${accountId}/conversations/${conversationId}${path}`;
    const reply = await this.send(method, full, this.user.token, body);
    const answer = reply.body.toString('utf8');
    if (reply.status !== 200)
      throw new Error(
        `User ${this.user.id} cannot ${method} ${full}: the double responded with ${reply.status} ${answer}`,
      );
    return answer === '' ? null : JSON.parse(answer);
  }
}

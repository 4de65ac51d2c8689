/** One webhook to one receiver, as the control routes list it. */
export interface Delivery {
  id: number;
  event: string;
  receiver: 'account' | 'inbox' | 'agent_bot' | 'automation';
  url: string;
  /** The body as sent; empty before that. */
  body: string;
  headers: Record<string, string>;
  state: 'waiting' | 'sending' | 'delivered' | 'failed' | 'dropped';
  attempts: number;
  status: number | undefined;
  error: string | undefined;
}

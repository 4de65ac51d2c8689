/** One webhook on its way to one receiver, as the control surface lists it. */
export interface Delivery {
  id: number;
  event: string;
  receiver: 'account' | 'inbox' | 'agent_bot' | 'automation';
  url: string;
  /** The body as sent; empty until it is sent. */
  body: string;
  headers: Record<string, string>;
  state: 'waiting' | 'sending' | 'delivered' | 'failed' | 'dropped';
  attempts: number;
  status: number | undefined;
  error: string | undefined;
}

import { WebhookRejectedError, type WebhookRejection } from '../core/request-errors';

export interface WebhookResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

const STATUS: Readonly<Record<WebhookRejection, number>> = {
  badSignature: 401,
  stale: 401,
  unknownConnection: 404,
  malformed: 400,
  tooLarge: 413,
};

const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): WebhookResponse => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  body: `${JSON.stringify(value)}\n`,
});

export const acceptedResponse = (outcome: string): WebhookResponse => json(200, { outcome });

export const methodNotAllowed: WebhookResponse = json(
  405,
  { error: { code: 'METHOD_NOT_ALLOWED', message: 'Webhooks accept only POST. Send the webhook by POST.' } },
  { allow: 'POST' },
);

/**
 * Returns the response to the webhook's sender. Any error except a rejection is a fault of this service: the sender may
 * try again, and in any case a sync on a timer finds the changes.
 */
export function responseForWebhookError(error: unknown): WebhookResponse {
  if (error instanceof WebhookRejectedError)
    return json(STATUS[error.why], { error: { code: error.code, why: error.why, message: error.message } });
  return json(
    503,
    { error: { code: 'UNAVAILABLE', message: 'The webhook could not be recorded now. Send it again.' } },
    { 'retry-after': '5' },
  );
}

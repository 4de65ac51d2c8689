/** One signed message for a runtime's endpoint. */
export interface PushMessage {
  /**
   * The same at every attempt, so that receivers can deduplicate. Contains no full stop, because that separates the
   * signed parts.
   */
  readonly id: string;
  /** JSON, signed and sent byte for byte. */
  readonly body: string;
}

/** Calls a runtime back over HTTP, by the Standard Webhooks specification. */
export interface RuntimePush {
  /**
   * Returns why this address is not permitted, as a sentence with the next step; null: it is permitted. Called when an
   * endpoint is registered. It resolves the host name, so it may take seconds. `post` checks again itself, because host
   * names can change their addresses.
   */
  addressProblem(url: string): Promise<string | null>;
  /**
   * Sends one POST request, signed with every given secret. Called at least once per message, and never concurrently
   * for one session. Follows no redirects. Returns the beginning of the response's body after a 2xx status.
   * @throws EndpointError
   */
  post(url: string, secrets: readonly string[], message: PushMessage, signal: AbortSignal): Promise<string>;
}

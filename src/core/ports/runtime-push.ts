/** One signed message, as a runtime's endpoint gets it. */
export interface PushMessage {
  /** The same at every try: receivers deduplicate by it. Holds no full stop, which separates what is signed. */
  readonly id: string;
  /** JSON, signed and sent byte for byte. */
  readonly body: string;
}

/** How a runtime is called back: HTTP, by the Standard Webhooks specification. */
export interface RuntimePush {
  /**
   * Why we do not call this address, as a sentence with the next step; null: we do. Looks the name up, so it may take
   * seconds. Asked when an endpoint is registered; `post` asks for itself, since names move.
   */
  whyRefused(url: string): Promise<string | null>;
  /**
   * One POST, signed with every secret given. Redirects are not followed. Resolves with the beginning of the answer's
   * body once the status is 2xx. Called at least once per message, never twice at once for one Session.
   * @throws EndpointError
   */
  post(url: string, secrets: readonly string[], message: PushMessage, signal: AbortSignal): Promise<string>;
}

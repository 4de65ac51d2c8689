/** The state of a conversation as an agent sees it. */
export type ConversationStatusLabel = 'held by the bot' | 'open' | 'on hold' | 'resolved';

/** What an agent sees of one end-user's conversation. */
export interface AgentScreen {
  readonly inbox: string;
  readonly status: ConversationStatusLabel;
  readonly team: string | null;
  readonly agent: string | null;
  /** `end-user: …`, `bot: …`, `agent: …`, and `note: …` for everything that end-users never see; oldest first. */
  readonly lines: readonly string[];
}

/** An agent who uses the provider's own tools, never the service under test. */
export interface DemoAgent {
  readonly name: string;
  /**
   * Returns an end-user's conversations as the agent sees them, newest first. Names of end-users are unique in a demo.
   */
  readConversations(endUser: string): Promise<readonly AgentScreen[]>;
  take(endUser: string): Promise<void>;
  reply(endUser: string, text: string): Promise<void>;
  note(endUser: string, text: string): Promise<void>;
  resolve(endUser: string): Promise<void>;
  returnToBot(endUser: string): Promise<void>;
}

/** An operator's input to enable support. */
export interface EnableSettings {
  /** Name of the organization's account at the provider, if it matters. */
  readonly name?: string;
  readonly provider: string;
  readonly baseUrl: string | null;
  readonly credentials: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly owners: readonly { readonly name: string; readonly email: string }[];
}

export interface DemoStaff {
  readonly agent: DemoAgent;
  /** As the provider names it. */
  readonly team: string;
}

/** One provider with its agents, as the demo needs it. */
export interface DemoAdapter {
  readonly enableSettings: EnableSettings;
  /**
   * Adds an agent and a team, after enableSupport and enableChatbotSupport: the organization's own steps at the
   * provider, unless settings do them.
   */
  addStaff(inboxName: string): Promise<DemoStaff>;
  /** Returns the account's administrators, sorted; `expectedAdministrators` are those it should have. */
  administrators(): Promise<readonly string[]>;
  readonly expectedAdministrators: readonly string[];
  /** The setup may leave manual steps that the demo does not need. They are printed. */
  readonly allowsManualSteps?: true;
}

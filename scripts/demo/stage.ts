/** Where a conversation stands, in an agent's words. */
export type Standing = 'held by the bot' | 'open' | 'on hold' | 'resolved';

/** What an agent sees of one end-user's conversation. */
export interface Screen {
  readonly inbox: string;
  readonly standing: Standing;
  readonly team: string | null;
  readonly agent: string | null;
  /** `end-user: …`, `bot: …`, `agent: …`, and `note: …` for everything that end-users never see; oldest first. */
  readonly lines: readonly string[];
}

/** A person at the provider, working with the provider's own tools; never through the service under test. */
export interface AgentAtWork {
  readonly name: string;
  /** What they see of the conversations of one end-user, newest first; names of end-users are unique in a story. */
  see(endUser: string): Promise<readonly Screen[]>;
  take(endUser: string): Promise<void>;
  reply(endUser: string, text: string): Promise<void>;
  note(endUser: string, text: string): Promise<void>;
  resolve(endUser: string): Promise<void>;
  returnToBot(endUser: string): Promise<void>;
}

/** What an operator gives to enable support. */
export interface Enabling {
  /** Of the organization's account there, where it matters. */
  readonly name?: string;
  readonly provider: string;
  readonly baseUrl: string | null;
  readonly credentials: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly owners: readonly { readonly name: string; readonly email: string }[];
}

export interface Staffed {
  readonly agent: AgentAtWork;
  /** As the provider names it. */
  readonly team: string;
}

/** One provider with its people: what a story needs from the far side. */
export interface Stage {
  readonly enabling: Enabling;
  /** After enableSupport and enableChatbotSupport: what the organization's own people then do at the provider, where it is not done by settings. */
  staff(inboxName: string): Promise<Staffed>;
  /** Who may administer the account there, sorted; and who should. */
  administrators(): Promise<readonly string[]>;
  readonly expectedAdministrators: readonly string[];
  /** Set-up there may leave advice that the story can go on without: it is shown. */
  readonly mayAdvise?: true;
}

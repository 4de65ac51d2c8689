import type { ActingAgent, ConversationRef } from './control/acting-agent';
import type { Fault } from './control/faults';
import type { JournalEntry } from './control/journal';
import type { NextIds } from './control/next-ids';
import type { ChatwootVersion } from './options';
import type { OutagePart } from './outage';
import type { Delivery } from './webhooks/delivery';
import type { ShapingRule } from './webhooks/shaping';

/** A running double: its address, and direct access to its state. */
export interface ChatwootDouble {
  readonly baseUrl: string;
  readonly port: number;
  readonly version: ChatwootVersion;
  readonly platformToken: string;

  /** Adds another Platform App, which may not access what the first one created. */
  addPlatformApp(name: string): string;
  /** Connects or disconnects a user's live channel; only a live channel makes a user online. */
  setOnline(userId: number, online?: boolean): void;
  /** Returns an agent at the dashboard of one conversation. */
  agent(userId: number, conversation: ConversationRef): ActingAgent;

  /** Returns every webhook so far, oldest first, with its outcome. */
  deliveries(): Delivery[];
  dropWebhooks(rule?: ShapingRule): void;
  duplicateWebhooks(rule?: ShapingRule): void;
  /** Sends each group of `size` webhooks in reverse order; 0 ends this. */
  reorderWebhooks(size: number): void;
  /** Holds back webhooks. Their bodies are built when they are sent. */
  pauseWebhooks(): void;
  resumeWebhooks(): void;
  clearWebhookShaping(): void;
  /** Resolves when no webhook and no job is running or due. Does not wait for retries of bot webhooks. */
  whenIdle(): Promise<void>;

  failNext(fault: Fault): void;
  clearFaults(): void;
  skewNextMessage(ms: number): void;
  /** Sets the next ids, so that new rows get the ids of a recording. */
  setNextIds(ids: NextIds): void;
  /** Makes one part of the installation fail; `null` restores everything. */
  outage(part: OutagePart | null): Promise<void>;

  requests(): JournalEntry[];
  clearRequests(): void;

  /** Runs the avatar lookup that Chatwoot runs half a minute after a contact got an e-mail. */
  syncAvatar(contactId: number): void;
  /** Runs the job that Chatwoot runs every five minutes. */
  wakeSnoozed(): void;
  setActivityDelay(ms: number): void;
  /** Removes all notifications, as if every agent had read and removed theirs. */
  clearNotifications(): void;

  stop(): Promise<void>;
}

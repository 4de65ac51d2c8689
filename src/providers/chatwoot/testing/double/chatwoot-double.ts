import type { ActingAgent, ConversationRef } from './control/acting-agent';
import type { Fault } from './control/faults';
import type { JournalEntry } from './control/journal';
import type { NextIds } from './control/next-ids';
import type { ChatwootVersion } from './options';
import type { OutagePart } from './outage';
import type { Delivery } from './webhooks/delivery';
import type { ShapingRule } from './webhooks/shaping';

/** A running double: the server's address, and the strings behind its back. */
export interface ChatwootDouble {
  readonly baseUrl: string;
  readonly port: number;
  readonly version: ChatwootVersion;
  readonly platformToken: string;

  /** Another Platform App, to which what the first one made is foreign. */
  addPlatformApp(name: string): string;
  /** Opens or closes somebody's live channel: only that makes them online. */
  setOnline(userId: number, online?: boolean): void;
  /** A person at the dashboard of one conversation. */
  agent(userId: number, conversation: ConversationRef): ActingAgent;

  /** Every webhook so far, oldest first, with what became of it. */
  deliveries(): Delivery[];
  dropWebhooks(rule?: ShapingRule): void;
  duplicateWebhooks(rule?: ShapingRule): void;
  /** Sends each `size` webhooks last first; 0 ends it. */
  reorderWebhooks(size: number): void;
  /** Holds webhooks back; their bodies are built when they leave. */
  pauseWebhooks(): void;
  resumeWebhooks(): void;
  clearWebhookShaping(): void;
  /** Resolves when no webhook and no job is under way. Retries of bots are not waited for. */
  settled(): Promise<void>;

  failNext(fault: Fault): void;
  clearFaults(): void;
  skewNextMessage(ms: number): void;
  /** Counts on from these numbers, so that what is made stands under those of a recording. */
  setNextIds(ids: NextIds): void;
  /** Takes one part of the installation down; `null` brings everything back. */
  outage(part: OutagePart | null): Promise<void>;

  requests(): JournalEntry[];
  clearRequests(): void;

  /** What happens by itself half a minute after a contact got an e-mail. */
  syncAvatar(contactId: number): void;
  /** What happens by itself every five minutes. */
  wakeSnoozed(): void;
  setActivityDelay(ms: number): void;
  /** As if every agent had read and removed what they were told. */
  clearNotifications(): void;

  stop(): Promise<void>;
}

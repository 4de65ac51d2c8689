import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Evidence, RemoteConversation, Invocation, Received } from './evidence';

const INVOCATIONS = 'invocations.jsonl';
const RECEIVED = 'received.jsonl';
const REMOTE_FILE = 'far-side.json';

type Entry = Invocation extends infer One ? (One extends Invocation ? Omit<One, 'at'> : never) : never;

/** Records a run's evidence: in memory for the verdict, and line by line in the run's folder. */
export class RunRecord {
  readonly log: Invocation[] = [];
  readonly received: Received[] = [];
  private readonly invocationsFile: number;
  private readonly receivedFile: number;

  constructor(private readonly folder: string) {
    this.invocationsFile = openSync(path.join(folder, INVOCATIONS), 'a');
    this.receivedFile = openSync(path.join(folder, RECEIVED), 'a');
  }

  add(entry: Entry): void {
    const whole = { at: Date.now(), ...entry } as Invocation;
    this.log.push(whole);
    writeSync(this.invocationsFile, `${JSON.stringify(whole)}\n`);
  }

  receive(delivery: Omit<Received, 'at'>): void {
    const whole = { at: Date.now(), ...delivery };
    this.received.push(whole);
    writeSync(this.receivedFile, `${JSON.stringify(whole)}\n`);
  }

  with(remote: readonly RemoteConversation[]): Evidence {
    return { remote, received: this.received, log: this.log };
  }

  close(remote: readonly RemoteConversation[]): void {
    writeFileSync(path.join(this.folder, REMOTE_FILE), JSON.stringify(remote, null, 1));
    closeSync(this.invocationsFile);
    closeSync(this.receivedFile);
  }
}

/**
 * Reads the evidence of a kept run.
 * @throws if the folder contains none
 */
export function readEvidence(folder: string): Evidence {
  const text = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
  const lines = <T>(name: string): T[] =>
    text(name)
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as T);
  return {
    remote: JSON.parse(text(REMOTE_FILE)) as RemoteConversation[],
    received: lines(RECEIVED),
    log: lines(INVOCATIONS),
  };
}

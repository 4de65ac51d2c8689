import { isDeepStrictEqual } from 'node:util';
import { createFlows } from '../../src/core/flows';
import type { Flows } from '../../src/core/flows/api';
import type { FlowDeps } from '../../src/core/flows/deps';
import type { RuntimeDelivery } from '../../src/core/delivery';
import type { MessageRecord } from '../../src/core/message';
import { instantOf } from '../../src/core/ports/clock';
import { ORG, scope, type FlowWorld } from '../../src/testing/flow-world';
import { scriptedDefinition } from '../../src/testing/scripted-provider';
import { SimulatedProvider, type SimulatedConversation } from './far-side';
import {
  SessionModel,
  type Doing,
  type Evidence,
  type Fact,
  type LostConversation,
  type Mirroring,
  type WhileWaiting,
} from './session-model';
import { DUE_IS_DUE, timePasses, Worker, type Cut, type Job } from './workers';

export interface Setting {
  readonly mirroring: Mirroring;
  readonly whileWaiting: WhileWaiting;
  readonly lostConversation: LostConversation;
  readonly closingLine: string | null;
  readonly sessions: number;
}

/** One session of a play: its model, and what its runtime has collected. */
export interface Part {
  readonly id: string;
  readonly model: SessionModel;
  readonly collected: RuntimeDelivery[];
  lastSeq: number;
  link: string | null;
}

/** Longer than any wait of a lease, a retry or a sync. */
const LONGEST_WAIT_MS = 11 * 60_000;

interface Call {
  readonly answer: object;
  repeat(): Promise<object>;
}
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** One play over the real flows, stores and runners. It controls the remote and the time. */
export class Play {
  readonly remote = new SimulatedProvider();
  readonly parts: Part[] = [];
  readonly workers: Worker[] = [];
  readonly flows: Flows;
  lastCall: Call | null = null;
  private readonly deps: FlowDeps;
  private said = 0;

  private constructor(
    readonly world: FlowWorld,
    readonly setting: Setting,
  ) {
    this.deps = {
      ...world.deps,
      providers: new Map([['scripted', { definition: scriptedDefinition(this.remote), instance: this.remote }]]),
    };
    this.flows = createFlows(this.deps);
  }

  static async begin(world: FlowWorld, setting: Setting): Promise<Play> {
    const play = new Play(world, setting);
    const { mirroring, whileWaiting, lostConversation, closingLine } = setting;
    // The remains of a failed play must give workers nothing to do.
    await world.pool.query("update handoff set state = 'ENDED' where state not in ('ENDED', 'REJECTED', 'FAILED')");
    await world.pool.query('update lane set next_run_at = null, requested_at = null where next_run_at is not null');
    await world.flows.updatePolicy(scope, 'bot-1', {
      mirroring,
      whileWaiting,
      lostConversation,
      lines: { ended: closingLine },
    });
    for (let i = 0; i < setting.sessions; i++)
      play.parts.push({
        id: (await world.open()).id,
        model: new SessionModel(mirroring, whileWaiting, lostConversation, play.now),
        collected: [],
        lastSeq: 1,
        link: null,
      });
    return play;
  }

  readonly now = (): number => this.world.time.ms;
  text(who: string): string {
    return `${who} ${++this.said}`;
  }
  part(who: number): Part {
    return this.parts[who % this.parts.length]!;
  }
  conversationOf(who: number): SimulatedConversation | undefined {
    return this.remote.of(this.part(who).id);
  }

  // ---- the runtime
  /** Runs a mutation. Its possible effects are permitted while it runs. */
  async runtime<T extends object>(
    part: Part,
    doing: Doing,
    call: () => Promise<T>,
  ): Promise<T | { readonly code: string }> {
    part.model.doing = doing;
    try {
      const answer = await call();
      this.lastCall = { answer, repeat: call };
      return answer;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined) throw error;
      return { code };
    } finally {
      await this.look(part);
      part.model.doing = null;
    }
  }

  async repeat(): Promise<void> {
    const { answer, repeat } = this.lastCall!;
    const again = await repeat();
    const wanted = { ...answer, ...(await this.messageNow(answer)), replayed: true };
    if (!isDeepStrictEqual(asJson({ ...again, replayed: true }), asJson(wanted)))
      throw new Error('A repeated call was answered differently.');
  }

  /** Returns a result's message as a repeat shows it: unchanged, except for what its delivery has revealed since. */
  private async messageNow(answer: object): Promise<object> {
    if (!('message' in answer)) return {};
    const message = answer.message as MessageRecord;
    const { providerMessageId, isUndelivered } = (await this.deps.stores.messages.get(ORG, message.id))!;
    return { message: { ...message, providerMessageId, isUndelivered } };
  }

  /**
   * Collects, and acknowledges the first `count`. Deliveries that were collected before and not acknowledged come
   * again, in order.
   */
  async acknowledge(part: Part, count: number): Promise<number> {
    const { edges } = await this.deps.stores.deliveries.listRuntimeInbox(
      ORG,
      { chatbotId: null, sessionId: part.id },
      { first: 200, after: null },
    );
    const waiting = edges.map(({ node }) => node);
    const known = part.collected.filter(({ acknowledgedAt }) => acknowledgedAt === null).map(({ id }) => id);
    part.model.need(
      isDeepStrictEqual(
        known,
        waiting.slice(0, known.length).map(({ id }) => id),
      ),
      "the runtime's inbox has changed behind its back",
    );
    part.collected.push(...waiting.slice(known.length));
    const now = waiting.slice(0, count);
    for (const delivery of now)
      Object.assign(part.collected.find(({ id }) => id === delivery.id)!, { acknowledgedAt: 'now' });
    part.model.acknowledged(now.flatMap(({ notice }) => (notice.kind === 'MESSAGE' ? [notice.messageId] : [])));
    await this.flows.acknowledge(
      scope,
      now.map(({ id }) => id),
    );
    return now.length;
  }

  /** Requests a sync, as a webhook does. */
  hint(part: Part, about: 'MESSAGES' | 'ALL'): Promise<unknown> {
    return this.deps.stores.sessions.transact(ORG, part.id, tx => tx.requestSync(instantOf(this.now()), about));
  }

  // ---- workers and time
  /** Starts a worker. Returns whether it found work. */
  async start(job: Job, steps: number): Promise<boolean> {
    await this.world.pool.query(DUE_IS_DUE);
    const worker = new Worker(job, this.deps, this.remote, this.now);
    this.workers.push(worker);
    await this.goOn(worker, steps);
    return worker.found;
  }
  async goOn(worker: Worker, steps: number, cut?: Cut): Promise<void> {
    await worker.go(steps, cut);
    if (worker.at === null) this.kill(worker);
  }
  kill(worker: Worker): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
  }

  async pass(ms: number): Promise<void> {
    this.world.time.ms += ms;
    const { text, values } = timePasses(ms);
    await this.world.pool.query(text, [...values]);
  }

  /** Does what every process does at its start, because hints may have been lost while the service was down. */
  async restart(): Promise<void> {
    this.workers.length = 0;
    await this.deps.stores.scans.requestScans();
    await this.deps.stores.scans.requestFullScans();
    await this.start('scan', Infinity);
    await this.start('look', Infinity);
  }

  // ---- observations
  /** Passes the new log entries to each model, and compares. */
  async agree(): Promise<void> {
    for (const part of this.parts) await this.look(part);
    this.judge();
  }

  /** @throws an error with everything that does not agree */
  judge(): void {
    const wrong = this.parts.flatMap(({ model }, i) => model.wrong.map(line => `session ${i}: ${line}`));
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
  }

  private async look(part: Part): Promise<void> {
    const { model } = part;
    const {
      rows: [now],
    } = await this.world.pool.query<Now>({ ...NOW, values: [part.id, part.lastSeq] });
    const { control, epoch, conversationId, live, state, called, news } = now!;
    for (const { seq } of news ?? []) model.need(seq === ++part.lastSeq, `event ${part.lastSeq} has the number ${seq}`);
    model.accept((news ?? []).map(factOf), this.evidence(part, called ?? []));
    part.link = conversationId ?? part.link;
    model.need(
      control === model.control && epoch === model.epoch,
      `the session says ${control} ${epoch}, its log ${model.control} ${model.epoch}`,
    );
    model.need(
      live === (model.live?.id ?? null) && state === (model.live?.state ?? null),
      `the session says ${state}, its log ${model.live?.state ?? null}`,
    );
    this.lookAtFarSide(part);
  }

  private evidence({ id, link }: Part, called: readonly string[] = []): Evidence {
    const posts = this.remote.allOf(id).flatMap(({ entries }) => entries);
    return {
      tick: this.remote.tick,
      acts: this.remote.actsOf(id),
      agentMessages: this.remote.wordsOf(id),
      called,
      shownAt: (ourId, text, since = 0) =>
        posts.find(
          entry =>
            entry.by === 'us' &&
            entry.tick > since &&
            (entry.ourId === ourId || entry.file?.split('\n').includes(`  ${text}`)),
        )?.tick,
      notesOf: entry => posts.filter(({ ourId }) => ourId === `unshown:${id}:${entry.id}`).length,
      isLinkDead: this.remote.allOf(id).find(conversation => conversation.id === link)?.deleted ?? false,
    };
  }

  private lookAtFarSide({ id, model }: Part): void {
    const conversations = this.remote.allOf(id);
    model.need(conversations.filter(({ deleted }) => !deleted).length <= 1, 'two conversations');
    const order = new Map(model.said.map(({ id: messageId }, seq) => [messageId, seq]));
    for (const { entries } of conversations) {
      const ours = entries.flatMap(({ ourId }) => ourId ?? []);
      model.need(new Set(ours).size === ours.length, `shown twice: ${entries.map(({ text }) => text).join(' | ')}`);
      const seqs = ours.flatMap(ourId => order.get(ourId) ?? []);
      model.need(
        seqs.every((seq, i) => i === 0 || seq > seqs[i - 1]!),
        `shown out of order: ${entries.map(({ text }) => text).join(' | ')}`,
      );
      model.need(
        seqs.every(seq => model.said[seq]!.author !== 'SYSTEM'),
        'a line of ours was shown to agents',
      );
    }
  }

  // ---- the end
  /** Stops all actors and faults: everything must become idle and consistent. */
  async settle(): Promise<void> {
    const late = [...this.workers];
    await this.comeToRest();
    // Workers that were paused continue now, after everything was done without them.
    for (const worker of late) {
      this.workers.push(worker);
      await this.goOn(worker, Infinity);
      await this.agree();
    }
    if (late.length > 0) await this.comeToRest();
    for (const part of this.parts) await this.lookAtRest(part);
    await this.agree();
  }

  private async comeToRest(): Promise<void> {
    await this.restart();
    for (let round = 0, found = true; found; round++) {
      if (round > 60) throw new Error('It never comes to rest.');
      await this.pass(LONGEST_WAIT_MS);
      found = false;
      for (const job of ['deliver', 'read', 'endings'] as const)
        while (await this.start(job, Infinity)) {
          await this.agree();
          // Syncs of live handoffs never end.
          found ||= job !== 'read';
        }
      for (const part of this.parts) found = (await this.acknowledge(part, 200)) > 0 || found;
      await this.agree();
    }
  }

  private async lookAtRest(part: Part): Promise<void> {
    const { model, id } = part;
    const conversation = this.remote.of(id);
    model.rest(
      this.evidence(part),
      conversation === undefined ? null : { ...conversation.view, statusBy: conversation.statusBy },
    );
    const collected = part.collected.flatMap(({ notice }): string[] =>
      notice.kind === 'HANDOFF_OUTCOME'
        ? [notice.handoffId]
        : notice.kind === 'MESSAGE' && model.said.find(message => message.id === notice.messageId)?.author === 'AGENT'
          ? [notice.messageId]
          : [],
    );
    model.need(
      isDeepStrictEqual(collected, model.expectedNotices),
      `the runtime should have collected ${model.expectedNotices.length} words and outcomes in order, and has ${collected.length}`,
    );
    const { rows: pending } = await this.world.pool.query<{ kind: string; state: string }>(
      "select kind, state from delivery where session_id = $1 and state <> 'DONE' and destination = 'PROVIDER'",
      [id],
    );
    const poisoned = model.said.filter(({ text }) => text.startsWith('poison'));
    model.need(
      pending.every(({ kind, state }) => kind === 'POST_MESSAGE' && state === 'PARKED') &&
        pending.length <= poisoned.length,
      `still pending: ${JSON.stringify(pending)}`,
    );
    const session = await this.world.session(id);
    model.need(session.statusWrites % 2 === 0, 'a status write is left open');
  }
}

interface Row {
  seq: number;
  body: { type: string; [field: string]: unknown };
  handoffId: string | null;
  text: string | null;
  messageSeq: number | null;
  messageHandoffId: string | null;
}

interface Now {
  control: string;
  epoch: number;
  conversationId: string | null;
  live: string | null;
  state: string | null;
  called: string[] | null;
  news: Row[] | null;
}

const NOW = {
  name: 'play_now',
  text: `
    select s.control, s.epoch::int, s.conversation_id as "conversationId", s.live_handoff_id as live, h.state, (
      select json_agg(c.id) from handoff c where c.session_id = $1 and c.opened_for_agents <> 'NO'
    ) as called, (
      select json_agg(json_build_object('seq', e.seq, 'body', e.body, 'handoffId', e.handoff_id, 'text', m.text, 'messageSeq', m.seq, 'messageHandoffId', m.handoff_id) order by e.seq)
      from event e left join message m on e.type = 'MESSAGE_RECORDED' and m.id = (e.body ->> 'messageId')::uuid
      where e.session_id = $1 and e.seq > $2
    ) as news
    from session s left join handoff h on h.id = s.live_handoff_id where s.id = $1`,
};

function factOf({ body, handoffId, text, messageSeq, messageHandoffId }: Row): Fact {
  const { type, ...fields } = body as never as Record<string, string | null> & { type: string; epoch: number };
  switch (type) {
    case 'MESSAGE_RECORDED':
      return {
        type: 'said',
        author: fields['author']!,
        visibility: fields['visibility']!,
        text: text!,
        messageId: fields['messageId']!,
        seq: messageSeq!,
        handoffId: messageHandoffId,
      };
    case 'HANDOFF_CHANGED':
      return {
        type: 'handoff',
        id: handoffId!,
        from: fields['from']!,
        to: fields['to']!,
        cause: fields['cause']!,
        endReason: fields['endReason']!,
        agent: fields['agentName']!,
      };
    case 'CONTROL_CHANGED':
      return { type: 'control', control: fields['control']!, epoch: body['epoch'] as number };
    case 'SESSION_CLOSED':
      return { type: 'closed' };
    case 'DELIVERY_PARKED':
      return { type: 'parked', kind: fields['kind']! };
    default:
      throw new Error(`A play has no ${type}.`);
  }
}

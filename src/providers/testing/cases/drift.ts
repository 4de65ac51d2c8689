import { randomUUID } from 'node:crypto';
import { UnsupportedByProviderError } from '../../../core/errors';
import type { AccountAccess, InboxAccess } from '../../../core/ports/provider/access';
import type { AccountProgress, EnsuredInbox } from '../../../core/ports/provider/setup-verbs';
import type { DesiredState } from '../../../core/ports/provider/drift';
import { withProgress, type ContractFixture } from '../contract-fixture';

/** A separate account with one inbox, because a repair may change its stored access. */
class Kept {
  constructor(
    private readonly stage: ContractFixture,
    public access: AccountAccess,
    readonly inboxId: string,
    public inbox: EnsuredInbox,
    private readonly owners: DesiredState['owners'],
  ) {}

  static async of(fixture: ContractFixture): Promise<Kept> {
    const fresh = await fixture.harness.newAccount();
    const access = await fixture.setUp(fresh);
    const inboxId = randomUUID();
    const inbox = await fixture.provider.ensureInbox(
      { account: access, externalId: null, providerData: {}, inboxId, chatbotId: 'bot', name: 'Chatbot' },
      fixture.signal(),
    );
    return new Kept(fixture, access, inboxId, inbox, fresh.owners);
  }

  get desired(): DesiredState {
    return {
      access: this.access,
      owners: this.owners,
      teams: [],
      inboxes: [{ inboxId: this.inboxId, chatbotId: 'bot', name: 'Chatbot', ...this.inbox, members: null }],
    };
  }
  get inboxAccess(): InboxAccess {
    return { account: this.access, ...this.inbox };
  }

  async problems() {
    const { items } = await this.stage.provider.drift!.inspectDrift(this.desired, this.stage.signal());
    return items.filter(({ problem }) => problem !== null);
  }
  repair(items: readonly string[]): Promise<void> {
    return this.stage.provider.drift!.repairDrift(
      {
        desired: this.desired,
        items,
        save: async (progress: AccountProgress) => {
          this.access = withProgress(this.access, progress);
        },
        withInboxLock: async (_id, repair) => {
          this.inbox = (await repair(this.desired.inboxes[0]!, this.stage.signal())) ?? this.inbox;
        },
      },
      this.stage.signal(),
    );
  }
}

export function driftCases(fixture: ContractFixture): void {
  if (!fixture.capabilities.inspectsDrift) {
    it('does not inspect what it created', async () => {
      const look = async () => {
        if (!fixture.provider.drift) throw new UnsupportedByProviderError('left out');
        await fixture.provider.drift.inspectDrift(
          { access: fixture.account, owners: [], inboxes: [], teams: [] },
          fixture.signal(),
        );
      };
      await expect(look()).rejects.toMatchObject({ code: 'UNSUPPORTED_BY_PROVIDER' });
    });
    return;
  }

  it('finds no drift after setup, by stable ids, and changes nothing by inspecting', async () => {
    const kept = await Kept.of(fixture);
    const before = await fixture.harness.census();
    const look = async () => (await fixture.provider.drift!.inspectDrift(kept.desired, fixture.signal())).items;
    const items = await look();
    expect(items.filter(({ problem }) => problem !== null)).toEqual([]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    expect(await look()).toEqual(items);
    expect(await fixture.harness.census()).toEqual(before);
  });

  it('reports a demoted BotAgent1 in exactly those words, and makes it an administrator again', async () => {
    const kept = await Kept.of(fixture);
    await fixture.harness.tampers!({ demotesBotAgent: kept.access });
    const [item] = await kept.problems();
    expect(item).toMatchObject({
      kind: 'BOT_AGENT_ROLE',
      repairable: true,
      problem: expect.stringContaining('BotAgent1 is no longer an administrator'),
    });
    expect(item!.observed).not.toBe(item!.desired);
    await kept.repair([item!.id]);
    expect(await kept.problems()).toEqual([]);
    await fixture.provider.ensureInbox(
      { ...kept.inboxAccess, inboxId: kept.inboxId, chatbotId: 'bot', name: 'Chatbot' },
      fixture.signal(),
    );
  });

  it('repairs the requested items only', async () => {
    const kept = await Kept.of(fixture);
    await fixture.harness.tampers!({ renamesInbox: kept.inboxAccess });
    const [item] = await kept.problems();
    expect(item).toMatchObject({
      kind: 'INBOX_NAME',
      subject: 'Chatbot',
      desired: 'Chatbot',
      observed: 'Renamed by hand',
      repairable: true,
    });
    await kept.repair([]);
    expect(await fixture.harness.inboxName(kept.inboxAccess)).toBe('Renamed by hand');
    await kept.repair([item!.id, 'an item that is not there']);
    await kept.repair([item!.id]);
    expect(await fixture.harness.inboxName(kept.inboxAccess)).toBe('Chatbot');
    expect(await kept.problems()).toEqual([]);
  });
}

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

  static async of(stage: ContractFixture): Promise<Kept> {
    const fresh = await stage.harness.newAccount();
    const access = await stage.setUp(fresh);
    const inboxId = randomUUID();
    const inbox = await stage.provider.ensureInbox(
      { account: access, externalId: null, providerData: {}, inboxId, chatbotId: 'bot', name: 'Chatbot' },
      stage.signal(),
    );
    return new Kept(stage, access, inboxId, inbox, fresh.owners);
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

export function driftCases(stage: ContractFixture): void {
  if (!stage.capabilities.inspectsDrift) {
    it('does not look after what it made', async () => {
      const look = async () => {
        if (!stage.provider.drift) throw new UnsupportedByProviderError('left out');
        await stage.provider.drift.inspectDrift(
          { access: stage.account, owners: [], inboxes: [], teams: [] },
          stage.signal(),
        );
      };
      await expect(look()).rejects.toMatchObject({ code: 'UNSUPPORTED_BY_PROVIDER' });
    });
    return;
  }

  it('finds everything as it should be after set-up, by ids that stay, and changes nothing by looking', async () => {
    const kept = await Kept.of(stage);
    const before = await stage.harness.census();
    const look = async () => (await stage.provider.drift!.inspectDrift(kept.desired, stage.signal())).items;
    const items = await look();
    expect(items.filter(({ problem }) => problem !== null)).toEqual([]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    expect(await look()).toEqual(items);
    expect(await stage.harness.census()).toEqual(before);
  });

  it('tells a demoted BotAgent1 in those words, and makes it an administrator again', async () => {
    const kept = await Kept.of(stage);
    await stage.harness.tampers!({ demotesBotAgent: kept.access });
    const [item] = await kept.problems();
    expect(item).toMatchObject({
      kind: 'BOT_AGENT_ROLE',
      repairable: true,
      problem: expect.stringContaining('BotAgent1 is no longer an administrator'),
    });
    expect(item!.observed).not.toBe(item!.desired);
    await kept.repair([item!.id]);
    expect(await kept.problems()).toEqual([]);
    await stage.provider.ensureInbox(
      { ...kept.inboxAccess, inboxId: kept.inboxId, chatbotId: 'bot', name: 'Chatbot' },
      stage.signal(),
    );
  });

  it('repairs what it is told to, and nothing else', async () => {
    const kept = await Kept.of(stage);
    await stage.harness.tampers!({ renamesInbox: kept.inboxAccess });
    const [item] = await kept.problems();
    expect(item).toMatchObject({
      kind: 'INBOX_NAME',
      subject: 'Chatbot',
      desired: 'Chatbot',
      observed: 'Renamed by hand',
      repairable: true,
    });
    await kept.repair([]);
    expect(await stage.harness.inboxName(kept.inboxAccess)).toBe('Renamed by hand');
    await kept.repair([item!.id, 'an item that is not there']);
    await kept.repair([item!.id]);
    expect(await stage.harness.inboxName(kept.inboxAccess)).toBe('Chatbot');
    expect(await kept.problems()).toEqual([]);
  });
}

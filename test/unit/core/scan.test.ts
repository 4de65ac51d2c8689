import { nextScanMs, RAREST_SYNC_MS, timerSyncMs } from '../../../src/core/flows/from-provider/scan-account';

const usual = { everyMs: null, livePollMs: 20_000, hasWebhooks: true, tookMs: 0, random: 0.5 };

describe('the next scan', () => {
  it('comes after twice the wait before, and never later than six times the shortest', () => {
    expect([null, 20_000, 40_000, 80_000, 120_000].map((everyMs) => nextScanMs({ ...usual, everyMs }))).toEqual([20_000, 40_000, 80_000, 120_000, 120_000]);
  });

  it('is as near as ever where no webhook can come', () => {
    expect(nextScanMs({ ...usual, everyMs: 80_000, hasWebhooks: false })).toBe(20_000);
  });

  it('is spread, within its longest wait', () => {
    expect([0, 0.999].map((random) => nextScanMs({ ...usual, random }))).toEqual([18_000, 21_996]);
    expect(nextScanMs({ ...usual, everyMs: 120_000, random: 0.999 })).toBe(120_000);
  });

  it('leaves a server time that answers slowly', () => {
    expect(nextScanMs({ ...usual, tookMs: 4_000 })).toBe(80_000);
    expect(nextScanMs({ ...usual, tookMs: 60_000 })).toBe(300_000);
  });
});

describe('a sync that nothing asks for', () => {
  it('is rare where scans find what changes, and spread', () => {
    expect([0, 0.5, 1].map((random) => timerSyncMs({ canBeScanned: true, livePollMs: 20_000, random }))).toEqual([0.75, 1, 1.25].map((part) => part * RAREST_SYNC_MS));
    expect(timerSyncMs({ canBeScanned: true, livePollMs: 3_600_000, random: 0.5 })).toBe(3_600_000);
  });

  it('is more frequent while an agent may read what the end-user said: no scan shows that', () => {
    expect(timerSyncMs({ canBeScanned: true, mayBeRead: true, livePollMs: 20_000, random: 0.5 })).toBe(180_000);
  });

  it('is all there is where nothing can be scanned', () => {
    expect(timerSyncMs({ canBeScanned: false, livePollMs: 20_000, random: 0.9 })).toBe(20_000);
  });
});

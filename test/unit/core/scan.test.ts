import {
  nextScanDelayMs,
  MAX_SYNC_INTERVAL_MS,
  timerSyncDelayMs,
} from '../../../src/core/flows/from-provider/scan-account';

const usual = { everyMs: null, liveScanIntervalMs: 20_000, hasWebhooks: true, tookMs: 0, random: 0.5 };

describe('the next scan', () => {
  it('waits twice as long as the last one, and at most six times the shortest interval', () => {
    expect([null, 20_000, 40_000, 80_000, 120_000].map(everyMs => nextScanDelayMs({ ...usual, everyMs }))).toEqual([
      20_000, 40_000, 80_000, 120_000, 120_000,
    ]);
  });

  it('keeps the shortest interval where webhooks cannot arrive', () => {
    expect(nextScanDelayMs({ ...usual, everyMs: 80_000, hasWebhooks: false })).toBe(20_000);
  });

  it('is spread at random within its longest interval', () => {
    expect([0, 0.999].map(random => nextScanDelayMs({ ...usual, random }))).toEqual([18_000, 21_996]);
    expect(nextScanDelayMs({ ...usual, everyMs: 120_000, random: 0.999 })).toBe(120_000);
  });

  it('waits longer for a server that responds slowly', () => {
    expect(nextScanDelayMs({ ...usual, tookMs: 4_000 })).toBe(80_000);
    expect(nextScanDelayMs({ ...usual, tookMs: 60_000 })).toBe(300_000);
  });
});

describe('a sync without a hint', () => {
  it('is rare and spread where scans find changes', () => {
    expect(
      [0, 0.5, 1].map(random => timerSyncDelayMs({ canBeScanned: true, liveScanIntervalMs: 20_000, random })),
    ).toEqual([0.75, 1, 1.25].map(part => part * MAX_SYNC_INTERVAL_MS));
    expect(timerSyncDelayMs({ canBeScanned: true, liveScanIntervalMs: 3_600_000, random: 0.5 })).toBe(3_600_000);
  });

  it("is more frequent while an agent may read the end-user's message, because scans do not report that", () => {
    expect(
      timerSyncDelayMs({ canBeScanned: true, expectsReadMark: true, liveScanIntervalMs: 20_000, random: 0.5 }),
    ).toBe(180_000);
  });

  it('is the only source of changes where an account cannot be scanned', () => {
    expect(timerSyncDelayMs({ canBeScanned: false, liveScanIntervalMs: 20_000, random: 0.9 })).toBe(20_000);
  });
});

import type { DesiredState, DriftItem, DriftKind } from '../../core/ports/provider/drift';
import type { Connect } from './connection';

export interface Comparison {
  readonly desired: string;
  readonly observed: string | null;
  readonly problem: string;
  readonly repairable?: boolean;
}

export const joinIds = (ids: readonly (number | string)[]): string =>
  ids
    .map(Number)
    .sort((a, b) => a - b)
    .join(', ') || 'nobody';

/** What one inspection compares, and what it has found. */
export abstract class Inspection {
  readonly items: DriftItem[] = [];

  constructor(
    readonly connect: Connect,
    readonly desired: DesiredState,
    readonly signal: AbortSignal,
  ) {}

  get account(): string {
    return this.connect(this.desired.access).account;
  }
  read(path: string): Promise<unknown> {
    return this.connect(this.desired.access).user.json({ method: 'GET', path }, this.signal);
  }

  /** Records a comparison. Returns whether it found the desired state. */
  addItem(
    id: string,
    kind: DriftKind,
    subject: string,
    { desired, observed, problem, repairable = true }: Comparison,
  ): boolean {
    const isRight = desired === observed;
    this.items.push({ id, kind, subject, desired, observed, repairable, problem: isRight ? null : problem });
    return isRight;
  }
}

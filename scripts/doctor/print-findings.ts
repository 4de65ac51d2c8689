import { runChecks, type DoctorOptions, type Finding } from './checks';

const MARKS: Readonly<Record<Finding['state'], string>> = { ok: 'ok    ', advice: 'note  ', wrong: 'WRONG ' };

/**
 * Prints each finding with its next step.
 * @returns all findings
 */
export async function printFindings(examined: DoctorOptions, out: Pick<Console, 'log'>): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of runChecks(examined)) {
    findings.push(finding);
    out.log(
      `${MARKS[finding.state]}${finding.message}${finding.nextStep === undefined ? '' : `\n      → ${finding.nextStep}`}`,
    );
  }
  return findings;
}

export const isWrong = (findings: readonly Finding[]): boolean => findings.some(({ state }) => state === 'wrong');
export const canRunDemo = (findings: readonly Finding[]): boolean =>
  !isWrong(findings) && findings.some(({ check, state }) => check === 'token' && state === 'ok');

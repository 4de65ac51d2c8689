/// <reference types="jest" />
import path from 'node:path';
import { existsSync } from 'node:fs';
import type { ProviderDefinition } from '../../core/ports/provider/definition';
import { absentCases } from './cases/missing-capabilities';
import { decorationCases } from './cases/decorations';
import { failureCases } from './cases/failures';
import { handOverCases } from './cases/hand-over';
import { driftCases } from './cases/drift';
import { kindCases } from './cases/kinds';
import { listenCases } from './cases/listen';
import { agentAndTeamCases } from './cases/agents-and-teams';
import { setUpCases } from './cases/setup';
import { signalCases } from './cases/signals';
import { speakCases } from './cases/speak';
import { agentInitiatedCases } from './cases/agent-initiated';
import type { ProviderHarnessFactory } from './harness';
import { ContractFixture } from './contract-fixture';

/** Declares the contract of `SupportProvider` as test cases: everything that the core relies on from any provider. */
export function describeProviderContract(name: string, factory: ProviderHarnessFactory): void {
  describe(`provider contract: ${name}`, () => {
    const fixture = new ContractFixture(factory);
    beforeAll(() => fixture.open(), 60_000);
    afterEach(() => fixture.harness?.heal());
    afterAll(() => fixture.harness?.stop());

    describe('set-up', () => setUpCases(fixture));
    describe('people and teams', () => agentAndTeamCases(fixture));
    describe('drift', () => driftCases(fixture));
    describe('speaking', () => speakCases(fixture));
    describe('kinds and deletion', () => kindCases(fixture));
    describe('decorations', () => decorationCases(fixture));
    describe('signals', () => signalCases(fixture));
    describe('handing over', () => handOverCases(fixture));
    describe('listening', () => listenCases(fixture));
    if (factory.skills.includes('agentBegins'))
      describe('conversations that agents begin', () => agentInitiatedCases(fixture));
    describe('failures', () => failureCases(fixture));
    describe('capabilities that are not declared', () => absentCases(fixture));
  });
}

/**
 * Checks every registered provider, each in `<root>/<name>/`. A provider without `testing/harness.ts`, or with the
 * harness of another one, fails under its own name.
 */
export function describeRegisteredProviders(providers: ReadonlyMap<string, ProviderDefinition>, root: string): void {
  describe.each([...providers.keys()])('registered provider: %s', name => {
    const file = path.join(root, name, 'testing', 'harness');
    const harness = ['.ts', '.js'].some(end => existsSync(file + end))
      ? // Jest needs all cases declared synchronously.
        // eslint-disable-next-line @typescript-eslint/no-require-imports
        (require(file) as { harness?: ProviderHarnessFactory }).harness
      : undefined;

    it('has a contract harness of the definition that is registered', () => {
      if (!harness)
        throw new Error(
          `Provider "${name}" is registered, but ${file}.ts does not export \`harness\`; add the harness.`,
        );
      expect(harness.definition).toBe(providers.get(name));
      expect(harness.definition.name).toBe(name);
    });
    if (harness) describeProviderContract(name, harness);
  });
}

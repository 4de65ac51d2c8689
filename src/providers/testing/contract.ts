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
    const stage = new ContractFixture(factory);
    beforeAll(() => stage.open(), 60_000);
    afterEach(() => stage.harness?.heal());
    afterAll(() => stage.harness?.stop());

    describe('set-up', () => setUpCases(stage));
    describe('people and teams', () => agentAndTeamCases(stage));
    describe('drift', () => driftCases(stage));
    describe('speaking', () => speakCases(stage));
    describe('kinds and deletion', () => kindCases(stage));
    describe('decorations', () => decorationCases(stage));
    describe('signals', () => signalCases(stage));
    describe('handing over', () => handOverCases(stage));
    describe('listening', () => listenCases(stage));
    if (factory.skills.includes('agentBegins'))
      describe('conversations that agents begin', () => agentInitiatedCases(stage));
    describe('failures', () => failureCases(stage));
    describe('capabilities that are not declared', () => absentCases(stage));
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

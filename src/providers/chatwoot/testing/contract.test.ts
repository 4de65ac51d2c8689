import { describeProviderContract } from '../../testing/contract';
import { harnessOver } from './harness';

// The registry's walk covers 4.10; these are the oldest release we speak with and the first that signs inbox webhooks.
for (const version of ['3.16', '4.10', '4.14'] as const) describeProviderContract(`chatwoot ${version}`, harnessOver(version));

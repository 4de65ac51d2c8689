import { describeProviderContract } from '../../testing/contract';
import { harnessOver } from './harness';

// The registry's own tests cover 4.10. These are the oldest supported release, and one that signs webhooks.
for (const version of ['3.16', '4.14'] as const) describeProviderContract(`chatwoot ${version}`, harnessOver(version));

import { describeProviderContract } from '../../testing/contract';
import { harnessOver } from './harness';

// The walk over the registry covers 4.10. These are the oldest release that we speak with, and one that signs webhooks.
for (const version of ['3.16', '4.14'] as const) describeProviderContract(`chatwoot ${version}`, harnessOver(version));

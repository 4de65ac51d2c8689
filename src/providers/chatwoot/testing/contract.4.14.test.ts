import { describeProviderContract } from '../../testing/contract';
import { harnessOver } from './harness';

// A release that signs webhooks. The registry's own tests cover 4.10.
describeProviderContract('chatwoot 4.14', harnessOver('4.14'));

import { describeProviderContract } from '../../testing/contract';
import { harnessOver } from './harness';

// The oldest supported release. The registry's own tests cover 4.10.
describeProviderContract('chatwoot 3.16', harnessOver('3.16'));

import path from 'node:path';
import { providers } from '../../src/providers/registry';
import { describeRegisteredProviders } from '../../src/providers/testing/contract';

describeRegisteredProviders(providers, path.join(__dirname, '../../src/providers'));

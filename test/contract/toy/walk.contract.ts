import path from 'node:path';
import { describeRegisteredProviders } from '../../../src/providers/testing/contract';
import { providers } from './registry';

describeRegisteredProviders(providers, path.join(__dirname, 'providers'));

import { toyHarness } from '../../../toy-harness';
import { provider } from '..';

export const harness = toyHarness(provider);

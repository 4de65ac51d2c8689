import { ToyProvider, toyDefinition } from '../../toy-provider';

/** Wrong on purpose: correct in itself, but registered without a contract harness. */
export const provider = toyDefinition('no-harness', () => new ToyProvider());

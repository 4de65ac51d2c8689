import { ToyProvider, toyDefinition } from '../../toy-provider';

export const provider = toyDefinition('toy', () => new ToyProvider());

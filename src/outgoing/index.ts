export { createOutgoing, type Outgoing } from './client';
export type { PrivateAddresses } from './policy';

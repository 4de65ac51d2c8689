export { createTenantFetch as createOutgoing, type TenantFetch as Outgoing } from './tenant-fetch';
export type { PrivateAddresses } from './address-policy';

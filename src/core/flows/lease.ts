/** How a worker lends its lease: called before every remote call. Throws when the lease is lost. */
export interface Lease { held(): Promise<void> }


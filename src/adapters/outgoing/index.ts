export { AddressRefused, guardedConnector, type Resolver } from './guarded-connect.ts'
export { type GuardedClient, guardedClient } from './guarded-fetch.ts'

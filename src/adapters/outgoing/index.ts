export { AddressRefused, guardedConnector, type Resolver } from './guarded-connect.ts'
export { type GuardedClient, guardedClient, judgeAddress } from './guarded-fetch.ts'
export { limitOf } from './limit.ts'

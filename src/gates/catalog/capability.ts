declare const brand: unique symbol

/** The one licence to use a profile for a purpose it does not list (MC-089). An object of this shape written by hand is not one. */
export interface PreflightCapability {
  readonly [brand]: 'preflight'
}

const granted = new WeakSet<object>()

/**
 * Makes the capability. Only the preflight path, which starts no agent, may call this; a test counts the callers.
 * It is worth nothing alone: the purpose must also carry `mayIgnorePurposeOfProfile`, and the ledger shows its use.
 */
export function grantPreflightCapability(): PreflightCapability {
  const capability = Object.freeze({ name: 'preflight' })
  granted.add(capability)
  return capability as unknown as PreflightCapability
}

/** What the facts say of a capability: `preflight` only for an object that was granted in this process. */
export function readCapability(capability: unknown): 'preflight' | 'forged' | null {
  if (capability === null || capability === undefined) return null
  return typeof capability === 'object' && granted.has(capability) ? 'preflight' : 'forged'
}

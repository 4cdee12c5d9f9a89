import type { Refusal } from '../../contract/gate.ts'
import type { PlanRequest } from '../../gates/launch/index.ts'
import { bridgeAsked, localBaseUrlOf, VARIABLES } from './requests.ts'
import { APIS, type AuthRoute, authRouteOf } from './routes.ts'

/**
 * What stands against a request before anything is looked for on disk: a local provider without its address first, because
 * that is what has to be put right first, then a provider that no key could reach (ADM-N10, ADM-N11, ADM-P1, ADM-P2, ADM-P3).
 */
export function requestRefusal(request: PlanRequest): Refusal | undefined {
  const route = authRouteOf(request.pair.provider)
  return localRefusal(request, route) ?? routeRefusal(request, route) ?? dialectRefusal(request, route)
}

function localRefusal({ pair, endpoint, inherited }: PlanRequest, route: AuthRoute): Refusal | undefined {
  if (route.kind !== 'models-json') return undefined
  const named = localBaseUrlOf(inherited)
  if (named !== undefined && sameAddress(named, endpoint)) return undefined
  return {
    reason: 'local_config_missing',
    message: `Local provider config missing: ${pair.provider} is admitted, and its endpoint was ${named === undefined ? 'not named' : 'named differently'}.`,
    asked: `the endpoint of ${pair.provider} in ${VARIABLES.localBaseUrl}`,
    found: named === undefined ? 'the variable is not set' : 'another address than that of the provider in portcullis.yaml',
    remedy: `Set ${VARIABLES.localBaseUrl} to ${endpoint}, the address of the provider in portcullis.yaml. It only asks: the wire calls what is configured and admitted.`,
  }
}

function routeRefusal({ pair, inherited }: PlanRequest, route: AuthRoute): Refusal | undefined {
  const refuse = (found: string, remedy: string): Refusal => ({ reason: 'auth_route_missing', message: `No key can reach ${pair.provider} inside Case.`, asked: `a way for the run token to reach ${pair.provider} through Case and its Pi`, found, remedy })
  const bridge = `Set ${VARIABLES.bridge}=1: a preload then hands the run token to Pi, for this provider only. Its digest stands in the report.`
  switch (route.kind) {
    case 'environment':
      return undefined
    case 'oauth':
      return bridgeAsked(inherited) ? undefined : refuse(`Case builds Pi's Agent without handing on the session token of ${pair.provider}, and Pi maps ${pair.provider} to no environment variable`, bridge)
    case 'models-json':
      return bridgeAsked(inherited) ? undefined : refuse(`Case builds Pi's Agent without a key resolver, so that a key of models.json is never used, and Pi maps ${pair.provider} to no environment variable`, bridge)
    case 'none':
      return refuse(`Pi knows ${pair.provider}, and there is no proven way for a run token to stand in for its credential`, 'Choose another provider; the routes that are proven are listed in docs/case.md.')
  }
}

function dialectRefusal({ dialect, profileName }: PlanRequest, route: AuthRoute): Refusal | undefined {
  const spoken = route.kind === 'environment' || route.kind === 'oauth' ? [route.dialect] : Object.keys(APIS)
  if (spoken.includes(dialect)) return undefined
  return {
    reason: 'dialect_mismatch',
    message: `Case cannot speak ${dialect} to this provider through the wire.`,
    asked: `dialect ${dialect} for profile ${profileName}`,
    found: `its Pi speaks ${spoken.join(', ')} to it`,
    remedy: 'Correct the dialect of the provider, or choose another provider.',
  }
}

/** Case has no such settings: it would run without them, and nobody would see. */
export function settingRefusal({ profileName, profile }: PlanRequest): Refusal | undefined {
  const named = [profile.effort === undefined ? [] : `effort ${profile.effort}`, profile.context === undefined ? [] : `context ${profile.context}`].flat()
  if (named.length === 0) return undefined
  return { reason: 'agent_setting_unsupported', message: 'Case cannot take a setting of the profile.', asked: `profile ${profileName}: ${named.join(', ')}`, found: 'Case hands neither effort nor context to its models', remedy: 'Leave them out.' }
}

export const stateRefusal = ({ profileName }: PlanRequest): Refusal => ({
  reason: 'agent_setting_unsupported',
  message: 'The repository holds state of an earlier Case.',
  asked: `profile ${profileName}: a run of Case from the beginning`,
  found: '.case in the repository, from which Case would go on',
  remedy: 'Take .case out of the repository; Case itself wants it ignored.',
})

export const notInstalled = ({ profileName }: PlanRequest, found: string): Refusal => ({
  reason: 'agent_not_installed',
  message: 'Case was not found.',
  asked: `profile ${profileName}: command, as in [bun, /opt/case/src/index.ts]`,
  found,
  remedy: 'Check Case out, install its packages (bun install), and name Bun and the absolute path of its src/index.ts. See docs/case.md.',
})

/** One address: scheme, host, port and path. A final slash makes no other. */
function sameAddress(one: string, other: string): boolean {
  const plain = (text: string): string | undefined => {
    const url = URL.parse(text)
    return url === null || url.username !== '' || url.password !== '' ? undefined : `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}${url.search}${url.hash}`
  }
  const first = plain(one)
  return first !== undefined && first === plain(other)
}

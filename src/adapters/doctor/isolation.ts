import type { Configuration, IsolationFinder } from '../../engine/index.ts'
import type { DoctorRow } from './row.ts'

const REMEDY =
  'Install bubblewrap, and have bwrap on PATH. Where it is there and starts nothing, the system forbids user namespaces: allow them (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0; on Ubuntu an AppArmor profile for bwrap with userns).'

/** One row for each level that needs more than an environment of its own: whether this machine reaches it, found by trying. */
export async function isolationRows(configuration: Configuration | undefined, isolation: IsolationFinder): Promise<DoctorRow[]> {
  return await Promise.all((['fs', 'network'] as const).map(async (level) => {
    const profiles = Object.entries(configuration?.profiles ?? {}).flatMap(([name, profile]) => (profile.isolation === level ? [name] : []))
    const common = { area: 'installed' as const, name: `isolation ${level}`, needed_for: profiles.length === 0 ? 'no profile requires it' : `isolation of ${profiles.join(', ')}` }
    const { obstacle } = await isolation.reach(level)
    if (obstacle === null) return { ...common, status: 'ok', found: 'reached, as a start under bubblewrap shows', remedy: null }
    return profiles.length === 0 ? { ...common, status: 'unneeded', found: obstacle, remedy: null } : { ...common, status: 'missing', found: obstacle, remedy: REMEDY }
  }))
}

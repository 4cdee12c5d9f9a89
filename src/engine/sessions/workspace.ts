import { join } from 'node:path'
import type { RunDirectory } from '../run-directory.ts'
import { NotBegun } from '../steps/choose-pair.ts'
import type { Workspaces } from '../world.ts'
import type { PlacedRepository, SessionPlace } from './world.ts'

/** One repository of a session: a copy to work on, and one that nobody touches, by which it is told whether anything was changed. */
export interface PlantedRepository extends PlacedRepository {
  readonly name: string
  readonly path: string
  readonly untouched: string
}

/**
 * The copies that a session of a ticket works on, in the directory that it is started in. Of one repository that is the directory
 * itself; where the ticket declares others, each has a folder of its own in it. Throws `NotBegun` for one that the project does not
 * have: to leave it out would be work on half of what was asked for, told as if it were all.
 */
export function repositoriesOf(place: SessionPlace, declared: readonly string[], { workspace, untouched }: Pick<RunDirectory, 'workspace' | 'untouched'>): readonly PlantedRepository[] {
  const own = { repository: place.repository, branch: place.branch, name: place.project }
  const names = [...new Set(declared)].filter((name) => name !== place.project)
  if (names.length === 0) return [{ ...own, path: workspace, untouched }]
  const others = names.map((name) => {
    const other = place.others.get(name)
    if (other === undefined) throw undeclared(place, name)
    return { ...other, name }
  })
  return [own, ...others].map((each) => ({ ...each, path: join(workspace, each.name), untouched: join(untouched, each.name) }))
}

function undeclared({ project, others }: SessionPlace, name: string): NotBegun {
  const found = others.size === 0 ? `the project ${project} has no further repository` : `the project ${project} has ${[...others.keys()].join(', ')}`
  return new NotBegun('repository_undeclared', found, { reason: 'repository_undeclared', message: 'The ticket declares a repository that no session of its project can be given.', asked: `a copy of ${name}`, found, remedy: 'Name it in tickets: sessions: repositories: of portcullis.yaml, or bring a ticket that does not declare it.' })
}

/** Copies them. The originals are only read. */
export async function plantRepositories(workspaces: Workspaces, repositories: readonly PlantedRepository[]): Promise<void> {
  for (const { name, repository, branch, path, untouched } of repositories) {
    try {
      await workspaces.prepare({ source: repository, branch, into: path })
      await workspaces.copy(path, untouched)
    } catch (error) {
      const found = `it cannot be copied (${error instanceof Error ? error.name : typeof error})`
      throw new NotBegun('workspace_unusable', found, { reason: 'workspace_unusable', message: 'The repository of the session cannot be worked on.', asked: `branch ${branch} of ${repository} (${name})`, found, remedy: 'Mend tickets: sessions: in portcullis.yaml.' })
    }
  }
}

/** Whether any of them differs from the one that nobody touched, committed or not. */
export async function anyChanged(workspaces: Workspaces, repositories: readonly PlantedRepository[]): Promise<boolean> {
  for (const { path, untouched } of repositories) {
    const { filesChanged, commits } = await workspaces.changes(path, untouched)
    if (filesChanged > 0 || commits.length > 0) return true
  }
  return false
}

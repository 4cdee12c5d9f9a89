import { sha256 } from '../contract/canonical.ts'
import { entryOf } from '../gates/catalog/index.ts'
import type { Course } from './course.ts'
import { FORMAT } from './format.ts'
import { RunEvidence } from './observations.ts'
import type { TaskRequest } from './run-task.ts'
import type { World } from './world.ts'

/** What was asked for, and what decided about it: the first statement of every run. */
export function openingOf(world: World, course: Course, request: TaskRequest) {
  const { id, title, class: taskClass, acceptance, prompt } = request.task
  return RunEvidence.state([{ name: `run ${course.run.runId}`, digest: { sha256: course.head } }], {
    task: { id, title, class: taskClass, purpose: request.purpose, digest: request.taskDigest, prompt: sha256(prompt), acceptance },
    profile: request.profile,
    backend: entryOf(world.configuration.profiles, request.profile)?.agent ?? null,
    asked: request.asked,
    configuration: { path: world.configurationPath, digest: world.configurationDigest },
    versions: { ...world.versions, format: FORMAT },
  })
}

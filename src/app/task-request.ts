import { resolve as resolvePath } from 'node:path'
import { loadTask } from '../adapters/configuration/index.ts'
import type { TaskRequest, World } from '../engine/index.ts'
import { chooseRun } from './backend.ts'
import { type AppOptions, configurationOf } from './places.ts'

/** How a run is asked for, whichever surface asks. */
export interface AskedTask {
  readonly task: string
  readonly profile: string | undefined
  readonly purpose: string | undefined
  readonly backend: string | undefined
  readonly admissionFile: string | undefined
  /** The ticket that the run is for, where a ticket is worked on. */
  readonly ticket?: TaskRequest['ticket']
  readonly cancelled: AbortSignal
}

/** A task as it is asked for, and the world in which it is to be run: where a record had to be named and none was, none is read. Throws `usage` and what is wrong with the files. */
export function taskRequestOf(options: AppOptions, world: World, request: AskedTask): { readonly asked: TaskRequest; readonly world: World } {
  const loaded = loadTask(resolvePath(options.cwd, request.task))
  const { profile, admissionFile, asked, noRecord } = chooseRun(configurationOf(options).configuration, options.environment, options.cwd, { ...request, taskProfile: loaded.task.profile })
  return {
    world: noRecord === null ? world : { ...world, readAdmissions: () => Promise.resolve(noRecord) },
    asked: {
      task: loaded.task,
      taskDigest: loaded.digest,
      taskText: loaded.text,
      profile,
      purpose: request.purpose ?? loaded.task.purpose,
      repository: loaded.repository,
      reference: loaded.referencePatch,
      admissionFile,
      remotes: loaded.remotes,
      asked,
      ticket: request.ticket,
      cancelled: request.cancelled,
    },
  }
}

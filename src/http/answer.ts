import { type Problem, PROBLEM_TYPE } from './problem.ts'
import type { Answer } from './route.ts'

export const problemAnswer = (told: Problem): Answer & { readonly json: unknown } => ({ status: told.status, json: told, contentType: PROBLEM_TYPE })

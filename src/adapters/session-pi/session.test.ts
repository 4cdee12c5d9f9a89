import { sessionRuntimeSuite } from '../../../test/suites/session-runtime.ts'
import { piSessions } from './index.ts'

sessionRuntimeSuite({ name: 'pi', runtime: () => piSessions({ program: undefined, directory: import.meta.dirname }), dialect: 'openai-chat', path: '/v1' })

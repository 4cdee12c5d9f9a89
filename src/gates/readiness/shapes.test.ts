import { pinShapes } from '../../../test/helpers/shapes.ts'
import * as readiness from './index.ts'

pinShapes('readiness', readiness)

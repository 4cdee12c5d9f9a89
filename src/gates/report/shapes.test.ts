import { pinShapes } from '../../../test/helpers/shapes.ts'
import * as report from './index.ts'

pinShapes('report', report)

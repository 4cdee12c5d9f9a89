import { pinShapes } from '../../../test/helpers/shapes.ts'
import * as dispatch from './index.ts'

pinShapes('dispatch', dispatch)

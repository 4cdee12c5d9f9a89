import { pinShapes } from '../../../test/helpers/shapes.ts'
import * as admission from './index.ts'

pinShapes('admission', admission)

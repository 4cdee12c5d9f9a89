import { pinShapes } from '../../../test/helpers/shapes.ts'
import * as launch from './index.ts'

pinShapes('launch', launch)

import { pinShapes } from '../../../test/helpers/shapes.ts'
import * as health from './index.ts'

pinShapes('health', health)
